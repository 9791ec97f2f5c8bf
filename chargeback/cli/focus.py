"""python -m chargeback focus: a month's charges, and its invoices once closed, in FOCUS."""

from __future__ import annotations

import argparse
import sys

from chargeback.billing_period import check_month
from chargeback.cli.common import closed_month, ensure, line_of, statements_now, warn
from chargeback.closing.focus_period import closed_period
from chargeback.settings import load_settings
from chargeback.statement.focus.billing import write_billing
from chargeback.statement.focus.write import write_focus
from chargeback.workspace import Workspace


def run(options: argparse.Namespace) -> None:
    """Writes the files, and names them."""
    workspace = Workspace(load_settings())
    month = check_month(options.month)
    if closed_month(workspace, month) is None:
        ensure(workspace, month)
    statements = statements_now(workspace)
    answers, statement = statements.answers(month), statements.of(month, options.by)
    files = write_focus(answers, statement, options.version, options.out).all
    if closed := statements.book.find(month):
        period = closed_period(statements.book, closed)
        files += write_billing(answers, statement.view, period, options.out)
    warn(answers, [month])
    for each in statement.without_effect:
        print(line_of(month, each), file=sys.stderr)
    print(*files, sep="\n")
