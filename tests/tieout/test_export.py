"""``tieout export``: files another engine reads, and only what is new the second time."""

from pathlib import Path

import duckdb
from commandline import Run


def test_the_log_is_exported_and_again_only_what_is_new(books: Run, tmp_path: Path) -> None:
    folder = tmp_path / "the log"
    assert books("export", str(folder)).code == 0
    (count,) = duckdb.connect().execute(
        "SELECT count(*) FROM read_parquet(?)", [str(folder / "*.parquet")]
    ).fetchone() or (0,)
    (head,) = [line for line in books("status", "--lang", "en").out.splitlines() if line.startswith("head of the log")]
    assert head.endswith(f"0:{count}")
    assert "Files written: 0" in books("export", str(folder), "--lang", "en").out


def test_a_folder_that_cannot_be_written_is_said(books: Run, tmp_path: Path) -> None:
    file = tmp_path / "a file"
    file.write_text("")
    answer = books("export", str(file), "--lang", "en")
    assert answer.code == 1
    assert "cannot be written" in answer.err
