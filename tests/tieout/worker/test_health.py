"""What a worker answers, asked as an application over a real store."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from commandline import Run, make_store
from members import until
from prometheus_client import CollectorRegistry

from ledger.store import connect
from projections.follow import follow
from tieout.worker import health, measuring
from tieout.worker.health import Health
from tieout.worker.measuring import Measured, Standing
from tieout.worker.pulse import Pulse, State
from tieout.worker.supervising import Supervised


def idle(pulse: Pulse) -> None:
    pulse.says(State.RUNNING)
    while not pulse.is_stopping:
        pulse.rest(1.0)


@pytest.fixture
def part() -> Iterator[Supervised]:
    made = Supervised("project", idle)
    made.start()
    until(lambda: made.is_working)
    yield made
    made.stop()


@pytest.fixture
def standing(run: Run, kind: str) -> Iterator[Standing]:
    make_store()
    with closing(Standing("tieout.sqlite", "tieout.events")) as made:
        yield made


def ask(application: Health, path: str, method: str = "GET") -> tuple[int, Any]:
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    answered: list[str] = []
    body = application(
        environ | {"PATH_INFO": path, "REQUEST_METHOD": method}, lambda status, *_: answered.append(status)
    )
    text = b"".join(body).decode()
    return int(answered[0].split()[0]), text


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "FRESH_SECONDS", -1.0)


def test_a_part_that_the_log_runs_away_from_makes_a_worker_unready(
    part: Supervised, standing: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = Health([part], standing, CollectorRegistry())
    monkeypatch.setattr(health, "BEHIND", 18)
    status, text = ask(application, "/readyz")
    assert (status, json.loads(text)["behind"]) == (503, {"project": 19})
    follow("tieout.sqlite")
    status, text = ask(application, "/readyz")
    assert (status, json.loads(text)["behind"]) == (200, {"project": 0})


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dead_part_makes_a_worker_unhealthy(standing: Standing) -> None:
    class Torn(BaseException):
        pass

    def work(_: Pulse) -> None:
        raise Torn

    dead = Supervised("project", work)
    dead.start()
    until(lambda: dead.is_dead)
    application = Health([dead], standing, CollectorRegistry())
    status, text = ask(application, "/healthz")
    assert (status, json.loads(text)["parts"]) == (503, {"project": "dead"})
    assert ask(application, "/readyz")[0] == 503


def test_a_store_that_goes_away_and_comes_back_is_noticed(part: Supervised, standing: Standing) -> None:
    registry = CollectorRegistry()
    registry.register(Measured(standing, [part]))
    application = Health([part], standing, registry)
    assert "tieout_log_position 19.0" in ask(application, "/metrics")[1]
    assert "tieout_quarantine_open 2.0" in ask(application, "/metrics")[1]
    with closing(connect(Path("tieout.sqlite"))) as connection:
        connection.execute("ALTER TABLE ledger_head RENAME TO elsewhere")
        assert ask(application, "/readyz")[0] == 503
        said = ask(application, "/metrics")[1]
        assert "tieout_log_position" not in said
        assert 'tieout_part_up{part="project"} 1.0' in said
        connection.execute("ALTER TABLE elsewhere RENAME TO ledger_head")
    assert ask(application, "/readyz")[0] == 200


def test_only_questions_are_answered(part: Supervised, standing: Standing) -> None:
    application = Health([part], standing, CollectorRegistry())
    assert ask(application, "/healthz", "POST")[0] == 405
    assert ask(application, "/")[0] == 404
