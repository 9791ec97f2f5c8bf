"""python -m chargeback accrual: what an open month is likely to come to."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress

from chargeback.billing_period import check_month, previous_month, today
from chargeback.cli.common import ensure, statements_now, warn
from chargeback.closing.ledger_files import accrual_of
from chargeback.errors import UsageProblem
from chargeback.settings import load_settings
from chargeback.statement.accrual_accuracy import days_missing, in_total, past_accruals
from chargeback.statement.accrual_file import write_accrual
from chargeback.statement.accrual_words import accuracy, said
from chargeback.workspace import Workspace


def run(options: argparse.Namespace) -> None:
    """Writes the files, and names them."""
    workspace = Workspace(load_settings())
    month = check_month(options.month)
    _read(workspace, month)
    statements, by = statements_now(workspace), options.by
    accrual = accrual_of(statements, month, by)
    past = past_accruals(
        statements.answers(month),
        accrual.statement.view,
        by,
        today(),
        workspace.allocation,
        days=days_missing(accrual),
    )
    files = write_accrual(accrual, past, options.out)
    warn(statements.answers(month), [month])
    for line in (*said(accrual), *accuracy(in_total(past))):
        print(f"chargeback: {month}: {line}", file=sys.stderr)
    print(*files, sep="\n")


def _read(workspace: Workspace, month: str) -> None:
    """The month before too, whose days stand for those early in the month."""
    ensure(workspace, month)
    with suppress(UsageProblem):  # the bill begins with the month
        ensure(workspace, previous_month(month))
