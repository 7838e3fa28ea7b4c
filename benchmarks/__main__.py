"""``python -m benchmarks [--quick] [NAME ...]``: measure, and print one line each. Exit code 0 whether met or missed."""

import argparse
import tempfile
from importlib import import_module
from pathlib import Path

MODULES = ("importing", "settled_account", "million")


def main() -> None:
    """Run the named measures, or all."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *MODULES], help=f"of {', '.join(MODULES)}; all by default")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that they work; not for quoting")
    arguments = parser.parse_args()
    for name in arguments.names or MODULES:
        with tempfile.TemporaryDirectory(prefix="tieout-bench-") as folder:
            for measure in import_module(f"benchmarks.{name}").run(Path(folder), arguments.quick):
                print(measure, flush=True)


if __name__ == "__main__":
    main()
