"""Stretches of the log as the events that go out, each with what had waited where it says what became of that."""

from collections.abc import Callable, Iterable, Iterator

from domain.events import DeferredFactApplied, DeferredFactRejected, FactDeferred
from projections.log import Logged
from projections.outbound.events import CloudEvent, cloud_event


def outgoing(
    logged: Iterable[Logged], event_at: Callable[[str, int], Logged | None]
) -> Iterator[tuple[Logged, CloudEvent | None]]:
    """Each event with the form in which it goes out, None for one that does not; ``event_at``: by stream and version."""
    for one in logged:
        deferred = None
        if isinstance(one.event, DeferredFactApplied | DeferredFactRejected):
            found = event_at(one.stream, one.event.fact)
            assert found is not None
            assert isinstance(found.event, FactDeferred)
            deferred = found.event
        yield one, cloud_event(one, deferred)
