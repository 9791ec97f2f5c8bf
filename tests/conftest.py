"""What this machine cannot run is left out by name and reason; in CI nothing may be left out."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from streamlit.config import get_config_options

# The time limit is pytest's: an example that a busy machine delays says nothing about the code.
settings.register_profile("default-without-deadline", deadline=None)
settings.load_profile("default-without-deadline")

HERE = Path(__file__).parent
NEEDS = {"e2e": ("chromium", "drive a real browser")}
"""Folder of tests: the program that they need, and what they do with it."""

left_out = {
    folder: f"tests/{folder} was left out: these tests {what}, and there is no {program} here"
    for folder, (program, what) in NEEDS.items()
    if shutil.which(program) is None
}
TAKEN_OUT = pytest.StashKey[list[pytest.Item]]()


def pytest_sessionstart() -> None:
    # Streamlit reads its file of options once, in the folder where it first needs one: some tests
    # go to others.
    get_config_options()
    # Nobody's ledger, unless a test names its own.
    os.environ["CHARGEBACK_LEDGER"] = tempfile.mkdtemp(prefix="no-ledger-")
    if left_out and os.environ.get("CI"):
        pytest.exit("; ".join(left_out.values()), returncode=1)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Takes tests out once they are collected: `collect_ignore` lets a path that is named pass."""
    folders = {HERE / folder for folder in left_out}
    taken = [item for item in items if folders & set(item.path.parents)]
    items[:] = [item for item in items if item not in taken]
    config.hook.pytest_deselected(items=taken)
    config.stash[TAKEN_OUT] = taken


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Nothing but what this machine cannot run was asked for: that is told, and no failure."""
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and session.config.stash.get(TAKEN_OUT, []):
        session.exitstatus = pytest.ExitCode.OK


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for reason in left_out.values():
        terminalreporter.write_line(reason, yellow=True)
