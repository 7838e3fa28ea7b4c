"""A publishing process is killed again and again, wherever it is: nothing is missing, and each key stays in order."""

import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import logs
import pytest
from members import Brokers
from receiver import Received, logged, position

from ledger.database import Location

KILLS = 6
PAGE = 25
# Dies by its own hand, so that it is known where: at a message, with earlier ones of the page on their way; or after all
# of a page was acknowledged, before the position is stored or after it.
PROGRAM = """
import os, signal, sys
from consumers.kafka.client import Servers, producer
from projections.outbound.publisher import Publisher

location, bootstrap, topic, page, where, left = sys.argv[1:]
left = int(left)

def passed(place):
    global left
    if place == where:
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

class Mortal:
    def __init__(self, producer):
        self.producer = producer
    def __getattr__(self, name):
        return getattr(self.producer, name)
    def send(self, *arguments, **named):
        passed("message")
        return self.producer.send(*arguments, **named)

class Dying(Publisher):
    def _move(self, before, after):
        passed("acknowledged")
        moved = super()._move(before, after)
        passed("stored")
        return moved

publisher = Dying(location, lambda: Mortal(producer(Servers(bootstrap))), topic, page=int(page))
print(publisher.publish_new())
publisher.close()
"""


def run(store: Location, brokers: Brokers, topic: str, where: str, left: int) -> "subprocess.CompletedProcess[str]":
    arguments = [str(store), brokers.bootstrap, topic, str(PAGE), where, str(left)]
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(logs.__file__).parents[2],
    )


@pytest.mark.parametrize("seed", [1])
def test_a_publisher_that_is_killed_and_started_again_leaves_nothing_out(
    business: Location, brokers: Brokers, seed: int
) -> None:
    random = Random(seed)
    topic = brokers.topic(partitions=2)
    places = ["acknowledged", "stored"] + ["message"] * (KILLS - 2)
    random.shuffle(places)
    reached, resent = 0, 0
    for place in places:
        left = random.randrange(1, 2 * PAGE) if place == "message" else random.randrange(1, 3)
        assert run(business, brokers, topic, place, left).returncode == -signal.SIGKILL
        now = position(business, topic) or 0
        assert now >= reached
        resent += place == "acknowledged"
        reached = now
    assert 0 < reached < len(logged(business)), "it was at work each time"
    last = run(business, brokers, topic, "never", 1)
    assert (last.returncode, int(last.stdout)) == (0, len(logged(business)) - reached)
    found = Received(brokers, topic)
    found.assert_whole_and_in_order(business)
    assert found.repeats >= PAGE * resent > 0
