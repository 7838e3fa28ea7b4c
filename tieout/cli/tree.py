"""All commands of the program, in the order in which help shows them."""

from functools import cache
from typing import Any

import typer

from tieout.cli import (
    analytics,
    approvals,
    books,
    completeness,
    customers,
    demo,
    entry,
    explain,
    kafka,
    keys,
    periods,
    quarantine,
    questions,
    revenue,
    serve,
    settling,
    stores,
    tracing,
    valuation,
    waiting,
    worker,
)
from tieout.cli.program import root, speak
from tieout.messages import Lang, Texts

ORDER = (
    *("init", "book", "import", "post", "customer"),
    *("balance", "items", "ageing", "statement", "journal", "trial-balance", "control"),
    *("explain", "history", "documents", "document"),
    *("dso", "payers", "exposure", "unusual", "changes"),
    *("suggest", "round-off", "tolerance"),
    *("periods", "close", "reopen", "moved"),
    *("recognise", "deferred"),
    *("allowance", "rates", "revalue"),
    *(
        "quarantine",
        "waiting",
        "approvals",
        "approve",
        "disapprove",
        "completeness",
        "status",
        "replay",
        "rebuild",
        "export",
    ),
    *("keys", "key"),
    *("serve", "worker", "pause", "resume", "topics", "lag"),
    *("demo", "demo-feed"),
)


@cache
def program(lang: Lang) -> Any:
    """The whole program, with its help in a language."""
    app = root()
    for part in (
        stores,
        books,
        entry,
        customers,
        questions,
        analytics,
        explain,
        tracing,
        settling,
        quarantine,
        waiting,
        approvals,
        completeness,
        periods,
        revenue,
        valuation,
        keys,
        serve,
        worker,
        kafka,
        demo,
    ):
        part.register(app)
    tree: Any = typer.main.get_command(app)
    # typer puts groups behind single commands.
    tree.commands = {name: tree.commands[name] for name in ORDER}
    speak(tree, Texts(lang))
    return tree
