"""close, reopen, diff and verify."""

from __future__ import annotations

import argparse
import io

from chargeback.access.change import Actor, machine_user
from chargeback.billing_period import check_month
from chargeback.cli.common import ensure, ensure_for_close, statements_now, warn
from chargeback.closing.book import open_book
from chargeback.closing.close import close_month
from chargeback.closing.reopen import reopen_month
from chargeback.errors import Problem
from chargeback.files.atomic import write_whole
from chargeback.formats import count
from chargeback.ledger.chain import read_entries, verify
from chargeback.settings import load_settings
from chargeback.statement.restatement import restated_file_name, write_restatement
from chargeback.workspace import Workspace


def close(options: argparse.Namespace) -> None:
    """Freezes a month."""
    workspace, month = Workspace(load_settings()), check_month(options.month)
    stale = ensure_for_close(workspace, month)
    statements = statements_now(workspace)
    warn(statements.answers(month), [month])
    entry = close_month(
        statements,
        month,
        _actor(options),
        options.note,
        [code.strip() for code in options.despite.split(",") if code.strip()],
        up_to_date=stale is None,
    )
    print(f"Closed {month}, revision {entry.revision}.")


def reopen(options: argparse.Namespace) -> None:
    """Withdraws the newest close."""
    workspace, month = Workspace(load_settings()), check_month(options.month)
    entry = reopen_month(statements_now(workspace), month, _actor(options), options.reason)
    print(f"Reopened {month}: revision {entry.revision} is withdrawn.")


def _actor(options: argparse.Namespace) -> Actor:
    return Actor(machine_user(), options.as_name)


def diff(options: argparse.Namespace) -> None:
    """Compares a closed month with the bill as it is now."""
    workspace, month = Workspace(load_settings()), check_month(options.month)
    closed = open_book(workspace.ledger.objects).require(month)
    ensure(workspace, month)
    statements = statements_now(workspace)
    for by in closed.record.by:
        out, found = io.BytesIO(), statements.comparison(month, by).restatement
        write_restatement(found, out)
        file = options.out / restated_file_name(by, month)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, out.getvalue())
        print(file)


def verify_ledger(_: argparse.Namespace) -> None:
    """Reads all of the ledger. Raises Problem if something was changed."""
    workspace = Workspace(load_settings())
    fault = verify(workspace.ledger) or workspace.ledger.verify_changes()
    if fault:
        raise Problem(
            f"The ledger is not as it was written: {fault}.",
            "What stands before it is whole; do not rely on this and what follows.",
            "Restore the ledger from its backup, then run verify again.",
        )
    entries = read_entries(workspace.ledger.objects)
    months = count(sum(each.kind == "close" for each in entries), "close")
    print(f"The ledger is whole: {months}.")
