"""oasdiff, which says what in a contract breaks clients of another: that of ``TIEOUT_TEST_OASDIFF``, of the checkout, or of
the path; else it is built, where there is Go. Where there is none the tests are skipped, or fail on a build server that has
Go.
"""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / ".servers" / "bin" / "oasdiff"
SEVERITY = ROOT / "tests" / "tieout" / "api" / "released" / "severity.txt"
_BUILD_SECONDS = 600


@cache
def oasdiff_or_skip() -> str:
    """The program."""
    for one in (os.environ.get("TIEOUT_TEST_OASDIFF"), BUILT, "oasdiff"):
        if one is not None and (found := shutil.which(one)) is not None:
            return found
    reason = "no oasdiff: make oasdiff builds it, TIEOUT_TEST_OASDIFF names one"
    if shutil.which("go") is None or shutil.which("make") is None:
        pytest.skip(reason)
    done = subprocess.run(
        ["make", "oasdiff"], cwd=ROOT, capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False
    )
    if done.returncode == 0:
        return str(BUILT)
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}: {done.stderr[-2_000:]}")
    pytest.skip(reason)


def breaking(before: Path, after: Path) -> str:
    """What of a contract is broken by another, in words; empty where nothing is."""
    done = subprocess.run(
        [
            *(oasdiff_or_skip(), "breaking", str(before), str(after), "--format", "singleline"),
            # What breaks some clients counts, and so does the end of a field that was not always there.
            *("--fail-on", "WARN", "--severity-levels", str(SEVERITY)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout if done.returncode else ""
