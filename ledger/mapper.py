"""Between an event at its place and its stored form: the library's mapper, with our codec and explicit topics."""

from typing import Any

from eventsourcing.persistence import Mapper, StoredEvent

from ledger.codec import TOPIC_OF, Recorded, decode, encode


class LedgerMapper(Mapper[str]):
    """Maps ``Recorded`` to ``StoredEvent`` and back; recorded_at and position are columns, not part of the body."""

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """The stored form of an event at its place."""
        event = domain_event.event
        return StoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=TOPIC_OF[type(event)],
            state=encode(event),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The event at its place."""
        assert isinstance(stored_event.originator_id, str)
        return Recorded(
            stored_event.originator_id,
            stored_event.originator_version,
            decode(stored_event.topic, stored_event.state),
        )
