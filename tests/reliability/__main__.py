"""The full run: ``python -m tests.reliability --rounds 300 [--seed S]``.

A line a round; the first failure ends it and says the seed, ``--seed`` of which runs that round again. The summary at
the end is a table for ``docs/reliability.md``.
"""

import argparse
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from deploy.kafka.local_broker import Broker  # noqa: E402
from tests.reliability.injecting import INJECTIONS, TAKING_UP  # noqa: E402
from tests.reliability.rounds import SEEN, SENT, Servers, run  # noqa: E402

FIRST = 1_000


def main() -> int:
    """Run the rounds; 1 where one of them failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description="Crash rounds on real servers.")
    parser.add_argument("--rounds", type=int, default=1, help="how many (default 1)")
    parser.add_argument(
        "--seed", type=int, default=FIRST, help=f"of the first one (default {FIRST}), then one more each"
    )
    given = parser.parse_args()
    # Whichever way it is ended, servers and workers are ended, too.
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="tieout-kafka-") as folder:
        broker = Broker(Path(folder))
        broker.start()
        try:
            return _rounds(broker, given.seed, given.rounds)
        finally:
            broker.stop()


def _rounds(broker: Broker, first: int, count: int) -> int:
    totals: Counter[str] = Counter()
    started = time.monotonic()
    servers = Servers(broker)
    try:
        for seed in range(first, first + count):
            begun = time.monotonic()
            try:
                found = run(servers, seed)
            except Exception:
                traceback.print_exc()
                print(f"round {seed - first + 1} failed; again: python -m tests.reliability --seed {seed}")
                return 1
            totals.update(found)
            totals["rounds"] += 1
            done = ", ".join(f"{name} {found[name]}" for name in (*INJECTIONS, TAKING_UP) if found[name])
            print(f"{seed}: {time.monotonic() - begun:.1f} s, {found['messages']} messages; {done}", flush=True)
    finally:
        servers.close()
    _summary(totals, time.monotonic() - started)
    return 0


def _summary(totals: Counter[str], seconds: float) -> None:
    print(f"\n{totals['rounds']} rounds in {seconds / 60:.0f} minutes, nothing lost, doubled or reordered.")
    for title, names in (("sent", SENT), ("injected", (*INJECTIONS, TAKING_UP)), ("seen", SEEN)):
        print(f"\n| {title} | how often |\n| --- | ---: |")
        for name in names:
            print(f"| {name} | {totals[name]:,} |")


if __name__ == "__main__":
    sys.exit(main())
