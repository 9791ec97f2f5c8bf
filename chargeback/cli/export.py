"""export: the chargeback files of a month; of a closed one as they were frozen."""

from __future__ import annotations

import argparse
import sys

from chargeback.billing_period import check_month
from chargeback.cli.common import closed_month, ensure_for_close, line_of, statements_now, warn
from chargeback.cli.terminal import NotClean
from chargeback.closing.sent import write_frozen_export
from chargeback.settings import load_settings
from chargeback.statement.export import write_export
from chargeback.workspace import Workspace


def run(options: argparse.Namespace) -> None:
    """Writes the files, and names them."""
    workspace = Workspace(load_settings())
    month, by = check_month(options.month), options.by
    closed = closed_month(workspace, month)
    stale = None if closed else ensure_for_close(workspace, month)
    statements = statements_now(workspace)
    statement = statements.of(month, by)
    if closed and by in closed.record.by:  # nothing is read but what was frozen
        files = write_frozen_export(closed, by, options.out)
    else:
        answers = statements.answers(month)
        files = write_export(answers, statement, options.out, up_to_date=stale is None)
    blocks = [] if closed else warn(statements.answers(month), [month])
    for each in statement.notices if closed else files.notices:
        print(line_of(month, each), file=sys.stderr)
    for name in files.outdated:
        print(
            f"chargeback: {name} no longer fits the files beside it: export it again.",
            file=sys.stderr,
        )
    print(*files.all, sep="\n")
    if options.strict and (blocks or stale):
        raise NotClean
