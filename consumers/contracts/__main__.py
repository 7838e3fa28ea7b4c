"""Write the contracts again: ``python -m consumers.contracts``."""

from consumers.contracts import write

if __name__ == "__main__":
    for name in write():
        print(name)
