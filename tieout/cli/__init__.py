"""The command line: ``main`` runs it and gives the exit code (``tieout.errors.Exit``).

What takes long to load (the ledger, SQLAlchemy, alembic, DuckDB, rich) is imported where it is used, so that help and
simple questions answer at once.
"""

import os
import sys
from collections.abc import Sequence

from tieout.errors import Exit, ReaderGone, UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (by default the process's own); the exit code."""
    import typer

    from tieout.cli.faults import report
    from tieout.cli.tree import program
    from tieout.messages import Texts
    from tieout.settings_file import choose_language

    given = list(sys.argv[1:] if arguments is None else arguments)
    texts = Texts(choose_language(given))
    try:
        code = program(texts.lang).main(args=given, prog_name="tieout", standalone_mode=False)
        sys.stdout.flush()
    except (BrokenPipeError, ReaderGone):
        # The interpreter must not fail at exit on what is still to be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except Exception as error:
        if "--debug" in given and not isinstance(error, UserError | typer.TyperException):
            raise
        return report(error, texts)
    return int(code or 0)
