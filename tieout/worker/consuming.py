"""Kafka → ledger; and, apart from it, what could not be booked → the topic of dead letters."""

from consumers.kafka.client import Group
from consumers.kafka.dead_letters import DeadLetters
from consumers.kafka.loop import Loop, Options
from consumers.kafka.metrics import Metrics
from ledger.ledger import Ledger
from tieout.brokers import feeds, servers
from tieout.settings import Settings
from tieout.worker.pulse import Pulse, State

_STATES = {
    "starting": State.STARTING,
    "reading": State.RUNNING,
    "paused": State.PAUSED,
    "waiting": State.WAITING,
    "stopped": State.STOPPED,
}


def consume(settings: Settings, metrics: Metrics, name: str, pulse: Pulse) -> None:
    """Read until it should stop; then finish the batch and leave the group."""
    with Ledger.open(settings.location) as ledger:

        def paused() -> bool:
            # Asked each turn, so it says that the loop lives, too.
            found = ledger.is_paused(name)
            pulse.says(State.PAUSED if found else State.RUNNING)
            return found

        loop = Loop(
            ledger,
            servers(settings),
            feeds(settings, ledger),
            Options(cluster=settings.kafka_cluster, group=Group(name=settings.kafka_group)),
            paused=paused,
            metrics=metrics,
            now_us=settings.now_us,
        )
        pulse.shows(lambda: _STATES[loop.state])
        pulse.interrupts(loop.stop)
        loop.run()


def send_dead_letters(settings: Settings, pulse: Pulse) -> None:
    """Send what comes into quarantine until it should stop."""
    with Ledger.open(settings.location) as ledger:
        letters = DeadLetters(ledger, servers(settings), settings.kafka_dead_letters_topic)
        pulse.shows(lambda: State.RUNNING)
        pulse.interrupts(letters.stop)
        letters.run()
