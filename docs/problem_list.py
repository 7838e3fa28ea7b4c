"""Writes docs/problems.md, what the API answers when it does not do as asked, from the code: codes, statuses, rules.

``make update-snapshots`` runs it through its test, which also fails when the page and the code have drifted apart.
"""

from collections.abc import Iterable
from pathlib import Path

from consumers.problems import MessageCode, RetryCode, RowCode
from domain.refusals import Code
from tieout.api.problems import ApiCode, rule_of, status_of

PAGE = Path(__file__).with_name("problems.md")

HEAD = """\
# Problems

Generated from the code by `docs/problem_list.py`; `make update-snapshots` writes it again.

What the [API](api.md) does not do as asked it answers with a problem document (RFC 9457, `application/problem+json`):

```json
{
  "type": "urn:tieout:problem:lines_and_tax_must_sum_to_total",
  "title": "Lines and tax must sum to the total",
  "status": 422,
  "code": "lines_and_tax_must_sum_to_total",
  "pointer": "/total",
  "value_kind": "number",
  "rule": "lines and tax must sum to the total",
  "request_id": "5f0c2ab917de4c11"
}
```

- `type` means the same for ever. `code` is its last part, and what a program should look at.
- `rule` says what must hold, of this request where it can; `title` is the same for every problem of a code.
- `pointer` (JSON pointer, RFC 6901) is the field of the body that is wrong, `parameter` the parameter or header, as far
  as it is one. `value_kind` says what kind of value stood there. The value itself is never repeated, nor is any other.
- `request_id` is in the header `X-Request-Id` and in the log.
- With 503 `Retry-After` says when to ask again. Nothing was booked by a request that was answered with 4xx; after 5xx
  send a command again under the same key.

Outcomes of `_bulk` and entries of the quarantine have the same codes.
"""

ORDER = "In the order in which the rules are checked."

PARTS = (
    ("Of the request", f"What the API itself demands. {ORDER} Others than these may be added.", tuple(ApiCode)),
    ("Of the books", f"Why a command is not booked: a refusal, or with 409 a conflict. {ORDER}", tuple(Code)),
    (
        "Of messages",
        "Why what an adapter or a file brought makes no command: met where an entry of the quarantine is tried again.",
        (*MessageCode, *RowCode, *RetryCode),
    ),
)


def page() -> str:
    """The whole page."""
    blocks = [HEAD, *(_part(*part) for part in PARTS)]
    return "\n\n".join(block.strip() for block in blocks) + "\n"


def _part(title: str, words: str, codes: Iterable[str]) -> str:
    rows = (f"| `{code}` | {int(status_of(code))} | {rule_of(code)} |" for code in codes)
    return "\n".join([f"## {title}", "", words, "", "| code | status | rule |", "| --- | --- | --- |", *rows])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
