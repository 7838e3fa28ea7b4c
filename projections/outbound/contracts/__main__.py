"""Write the contracts again: ``python -m projections.outbound.contracts``."""

from projections.outbound.contracts import write

if __name__ == "__main__":
    for name in write():
        print(name)
