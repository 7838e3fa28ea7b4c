"""Whether an operator has paused a part, read each time: it may be said in any process, at any time."""

from types import TracebackType
from typing import Self

from ledger.beside import Beside
from ledger.database import Location, connect
from ledger.store import check


class Pauses:
    """Of one part; of one thread."""

    def __init__(self, location: Location, part: str) -> None:
        """Raises ``StoreMissing`` or ``StoreOutdated``, or the database's error."""
        self._connection = connect(check(location), read_only=True)
        self._beside = Beside(self._connection)
        self._part = part

    def __call__(self) -> bool:
        """Whether it is paused now."""
        return self._beside.is_paused(self._part)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._connection.close()
