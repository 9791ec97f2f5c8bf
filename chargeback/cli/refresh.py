"""refresh: the spend store is brought up to date."""

from __future__ import annotations

import argparse
import sys

from chargeback.access.change import Actor, machine_user
from chargeback.billing_period import check_month
from chargeback.cli.common import line_of, statements_now, warn
from chargeback.cli.terminal import progress
from chargeback.closing.book import open_book
from chargeback.closing.standing import restated_notices
from chargeback.doctor.check import count
from chargeback.settings import load_settings
from chargeback.sources.athena.costs import price
from chargeback.workspace import Workspace


def run(options: argparse.Namespace) -> None:
    """Brings months up to date, or accepts a delivery, and says what is odd."""
    workspace = Workspace(load_settings())
    month = check_month(options.month) if options.month else None
    if options.accept:
        read = workspace.accept(check_month(options.accept), Actor(machine_user()), progress())
    else:
        _say_price(workspace)
        read = workspace.refresh(month, options.months, progress(), older=True)
    answers = workspace.answers()
    warn(answers, [month] if month else answers.months)
    print(f"Read {', '.join(sorted(read))}." if read else "Up to date.")
    _say_what_is_restated(workspace)


def _say_price(workspace: Workspace) -> None:
    """Before months are read anew that an older program read, what that costs."""
    if not workspace.source.is_charged:
        return
    for months, what in (
        (workspace.older_months(), "read by an earlier version of this program"),
        (workspace.refolded_months(), "of which other sessions are now kept as one"),
    ):
        if months:
            dollars = sum(price(manifest.bytes_scanned) for manifest in months)
            print(
                f"chargeback: {count(months, 'billing period')} {what} will be read again, at "
                f"about ${dollars:.4f} of Athena.",
                file=sys.stderr,
            )


def _say_what_is_restated(workspace: Workspace) -> None:
    """Says on stderr of which closed months the bill has changed since. Raises Problem."""
    if not open_book(workspace.ledger.objects).closed:
        return
    statements = statements_now(workspace)
    for closed in statements.book.closed:
        for each in restated_notices(statements, closed.month):
            print(line_of(closed.month, each), file=sys.stderr)
