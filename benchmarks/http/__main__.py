"""``python -m benchmarks.http [--quick] [NAME ...]``: measure, and print one line each. Exit code 0, met or missed."""

import argparse
from importlib import import_module

from benchmarks.servers.running import servers

MODULES = ("clients", "bulk", "export", "lists")


def main() -> None:
    """Run the named measures, or all."""
    parser = argparse.ArgumentParser(prog="benchmarks.http", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *MODULES], help=f"of {', '.join(MODULES)}; all by default")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that they work; not for quoting")
    arguments = parser.parse_args()
    with servers() as running:
        print(f"# PostgreSQL: {running.settings()}", flush=True)
        for name in arguments.names or MODULES:
            for measure in import_module(f"benchmarks.http.{name}").run(running, arguments.quick):
                print(measure, flush=True)


if __name__ == "__main__":
    main()
