"""doctor: whether everything is set up, as a table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from chargeback.cli.terminal import progress, shown
from chargeback.doctor.check import Check, together
from chargeback.doctor.examine import examine
from chargeback.errors import Problem
from chargeback.settings import load_settings
from chargeback.workspace import Workspace

MARKS = {"ok": "✓", "warning": "!", "problem": "✗", "unknown": "?"}
PLAIN_MARKS = {"ok": "ok", "warning": "look", "problem": "PROBLEM", "unknown": "unknown"}
"""Where the terminal has no such characters."""


def run(_: argparse.Namespace) -> None:
    """Looks at everything. Raises Problem if something is wrong."""
    workspace = Workspace(load_settings())
    workspace.write_demo_bill(progress())
    checks = together(examine(workspace, datetime.now(UTC)))
    for line in _table(checks, sys.stdout.encoding):
        print(line)
    problems = sum(check.state == "problem" for check in checks)
    if problems:
        raise Problem(f"{problems} of {len(checks)} checks found a problem.")


def _table(checks: Sequence[Check], encoding: str) -> Iterator[str]:
    """A line for each check, aligned; below it what it means and the fix."""
    marks = MARKS if _can_show("".join(MARKS.values()), encoding) else PLAIN_MARKS
    mark = max(len(marks[check.state]) for check in checks)
    name = max(len(check.name) for check in checks)
    for check in checks:
        yield shown(f"{marks[check.state]:{mark}}  {check.name:{name}}  {check.found}", encoding)
        for text in (check.means, check.todo, check.command and f"$ {check.command}"):
            if text:
                yield shown(f"{'':{mark}}    {text}", encoding)


def _can_show(text: str, encoding: str) -> bool:
    return text.encode(encoding, "replace").decode(encoding) == text
