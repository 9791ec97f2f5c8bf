"""statements: what units are handed, one or all."""

from __future__ import annotations

import argparse
from pathlib import Path

from chargeback.billing_period import check_month
from chargeback.cli.common import closed_month, ensure_for_close, statements_now, warn
from chargeback.cli.terminal import counting
from chargeback.closing.book import ClosedMonth
from chargeback.closing.handed import gathered
from chargeback.closing.sent import frozen_file, unit_files
from chargeback.closing.statements import Statements
from chargeback.files.atomic import write_whole
from chargeback.settings import load_settings
from chargeback.statement.unit_files import archive_name, write_archive_file, write_unit_files
from chargeback.workspace import Workspace


def run(options: argparse.Namespace) -> None:
    """Writes what the command asks for, and names the files."""
    print(*_written(options), sep="\n")


def _written(options: argparse.Namespace) -> list[Path]:
    workspace, month = Workspace(load_settings()), check_month(options.month)
    closed = closed_month(workspace, month)
    if closed and options.by in closed.record.by:
        return _frozen(closed, options)
    if closed is None:
        ensure_for_close(workspace, month)
    statements = statements_now(workspace)
    files = _made(statements, month, options)
    warn(statements.answers(month), [month])
    return files


def _frozen(closed: ClosedMonth, options: argparse.Namespace) -> list[Path]:
    """As they were frozen."""
    if options.unit is None:
        name = archive_name(closed.month, options.by)
        found = {name: frozen_file(closed, options.by, name)}
    else:
        found = unit_files(closed, options.by, options.unit)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, content in found.items():
        write_whole(options.out / name, content)
    return [options.out / name for name in found]


def _made(statements: Statements, month: str, options: argparse.Namespace) -> list[Path]:
    found = gathered(statements, month, options.by, options.unit)
    if options.unit is None:
        return [write_archive_file(found, options.out, counting(month))]
    return write_unit_files(found, options.unit, options.out)
