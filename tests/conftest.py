"""What this machine cannot run is left out by name and reason; in CI nothing may be left out."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NEEDS = {"e2e": ("chromium", "drive a real browser")}
"""Folder of tests: the program that they need, and what they do with it."""

left_out = {
    folder: f"tests/{folder} was left out: these tests {what}, and there is no {program} here"
    for folder, (program, what) in NEEDS.items()
    if shutil.which(program) is None
}
collect_ignore = [str(HERE / folder) for folder in left_out]


def pytest_sessionstart() -> None:
    if left_out and os.environ.get("CI"):
        pytest.exit("; ".join(left_out.values()), returncode=1)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for reason in left_out.values():
        terminalreporter.write_line(reason, yellow=True)
