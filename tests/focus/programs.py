"""Runs programs of the validators' environment, which `make test-focus` makes."""

from __future__ import annotations

import subprocess
from pathlib import Path

BIN = Path(__file__).resolve().parents[2] / ".venv-focus" / "bin"


def run(*command: str | Path, may_fail: bool = False) -> str:
    """What a program says; it is run where the validator reads a file by a relative path."""
    assert BIN.exists(), "these tests need the environment that `make test-focus` makes"
    (site,) = BIN.parent.glob("lib/python3*/site-packages")
    done = subprocess.run(command, cwd=site, text=True, capture_output=True, check=not may_fail)
    return done.stdout
