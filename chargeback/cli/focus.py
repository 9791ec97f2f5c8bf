"""python -m chargeback focus: a month's charges as a FOCUS dataset."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from chargeback.billing_period import check_month
from chargeback.cli.common import Commands, ensure, line_of, statements_now, warn
from chargeback.closing.book import open_book
from chargeback.dimensions import CHARGED
from chargeback.settings import load_settings
from chargeback.statement.focus.columns import VERSIONS
from chargeback.statement.focus.write import write_focus
from chargeback.workspace import Workspace


def add_focus(commands: Commands) -> None:
    """Adds the command `focus`."""
    focus = commands.add_parser("focus", help="write a month's charges as a FOCUS dataset")
    focus.add_argument("--month", metavar="YYYY-MM", required=True)
    focus.add_argument("--by", choices=CHARGED, required=True, help="whom to charge")
    focus.add_argument("--version", choices=VERSIONS, required=True, help="of FOCUS")
    focus.add_argument("--out", type=Path, default=Path("out"), metavar="DIR")
    focus.set_defaults(run=_focus)


def _focus(options: argparse.Namespace) -> None:
    workspace = Workspace(load_settings())
    month = check_month(options.month)
    if open_book(workspace.ledger.objects).find(month) is None:
        ensure(workspace, month)
    statements = statements_now(workspace)
    answers, statement = statements.answers(month), statements.of(month, options.by)
    files = write_focus(answers, statement, options.version, options.out)
    warn(answers, [month])
    for each in statement.without_effect:
        print(line_of(month, each), file=sys.stderr)
    print(*files.all, sep="\n")
