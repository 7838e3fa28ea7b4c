"""The first key of the API, as deploy/README.md says: where other machines reach it, it is made by hand and stands in no log."""

import re
from pathlib import Path

from commandline import run
from served import free_port, served

from tieout.api.roles import Role


def made(store: Path, name: str, grant: str) -> str:
    """The text of a key that the command line makes."""
    done = run("key", "create", name, "--grant", grant, "--as", "li", "--store", str(store))
    assert done.code == 0
    return done.out.strip()


def makers(store: Path) -> list[tuple[str, str]]:
    """The keys that there are, and who made them."""
    return [(key["name"], key["created_by"]) for key in run("keys", "--json", "--store", str(store)).json["keys"]]


def test_where_others_reach_it_the_first_key_is_made_by_hand_and_stands_in_no_log(tmp_path: Path) -> None:
    store, port = tmp_path / "books.sqlite", free_port()
    assert run("init", "--store", str(store)).code == 0
    with served(store, "--listen", f"0.0.0.0:{port}", port=port) as server:
        assert server.key == ""
        assert "There is no API key yet" in server.log
        assert "tieout key create" in server.log
        assert makers(store) == []
        # While it runs.
        key = made(store, "operator", f"{Role.ADMIN}:*")
        figures = made(store, "prometheus", f"{Role.READER}:*")
        with server.client(key) as client:
            assert client.get("/v1/me").json()["data"]["grants"] == ["admin:*"]
        with server.client(figures) as client:
            assert "tieout_log_position" in client.get("/metrics").text
        assert "tieout_" not in server.log
    assert sorted(makers(store)) == [("operator", "li"), ("prometheus", "li")]


def test_on_this_machine_the_api_prints_one_once_which_ends_when_it_is_revoked(tmp_path: Path) -> None:
    store = tmp_path / "books.sqlite"
    assert run("init", "--store", str(store)).code == 0
    with served(store) as server, server.client() as client:
        assert re.fullmatch(r"tieout_\w{12}_\S+", server.key)
        assert client.get("/v1/me").status_code == 200
    assert makers(store) == [("admin", "system")]
    (key,) = run("keys", "--json", "--store", str(store)).json["keys"]
    assert run("key", "revoke", key["key_id"], "--store", str(store)).code == 0
    with served(store) as again, again.client(server.key) as client:
        assert again.key == ""
        assert client.get("/v1/me").status_code == 401
