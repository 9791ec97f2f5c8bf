"""python -m chargeback: the commands, and how each of them ends."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import duckdb

from chargeback.access.change import Actor, machine_user
from chargeback.billing_period import check_month, today
from chargeback.cli.accrual import add_accrual
from chargeback.cli.close import add_close
from chargeback.cli.common import (
    ensure,
    line_of,
    progress,
    shown,
    statements_now,
    warn,
)
from chargeback.cli.focus import add_focus
from chargeback.cli.journal import add_journal
from chargeback.closing.book import open_book
from chargeback.closing.sent import write_frozen_export
from chargeback.dimensions import CHARGED
from chargeback.doctor.check import Check, count, together
from chargeback.errors import Problem, UsageProblem, unforeseen
from chargeback.settings import load_settings
from chargeback.sources.athena.costs import price
from chargeback.statement.export import write_export
from chargeback.workspace import DEMO_MONTHS, Workspace

OK, FAILED, USAGE, NOT_CLEAN = 0, 1, 2, 3
MARKS = {"ok": "✓", "warning": "!", "problem": "✗", "unknown": "?"}
PLAIN_MARKS = {"ok": "ok", "warning": "look", "problem": "PROBLEM", "unknown": "unknown"}
"""Where the terminal has no such characters."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit status."""
    try:
        options = _parser().parse_args(arguments)
        options.run(options)
    except _NotClean:
        return NOT_CLEAN
    except UsageProblem as problem:
        return _complain(problem, USAGE)
    except Problem as problem:
        return _complain(problem, FAILED)
    except (OSError, duckdb.Error) as error:
        return _complain(unforeseen(error), FAILED)
    except KeyboardInterrupt:
        return _complain(Problem("Stopped; what was read before still applies."), FAILED)
    return OK


class _NotClean(Exception):  # noqa: N818  (nothing failed: --strict asked for the status)
    """A blocking notice stands, or the figures are not up to date."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; the usage is what --help is for."""

    def error(self, message: str) -> NoReturn:
        raise UsageProblem(f"{message}.", todo=f"See {self.prog} --help.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m chargeback", description="Amazon Bedrock chargeback from CUR 2.0."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    refresh = commands.add_parser("refresh", help="bring the spend store up to date")
    which = refresh.add_mutually_exclusive_group()
    which.add_argument("--month", metavar="YYYY-MM", help="only this billing period")
    which.add_argument("--months", type=_positive, metavar="N", help="only the newest N")
    refresh.add_argument(
        "--accept", metavar="YYYY-MM", help="accept a delivery that holds less than before"
    )
    refresh.set_defaults(run=_refresh)

    export = commands.add_parser("export", help="write a month's chargeback files")
    export.add_argument("--month", metavar="YYYY-MM", required=True)
    export.add_argument("--by", choices=CHARGED, required=True, help="whom to charge")
    export.add_argument("--out", type=Path, default=Path("out"), metavar="DIR")
    export.add_argument(
        "--strict",
        action="store_true",
        help="exit 3 where something blocks the month's close or the figures are not up to date",
    )
    export.set_defaults(run=_export)

    statements = commands.add_parser(
        "statements", help="write the statements that units are handed: one, or all as a ZIP"
    )
    statements.add_argument("--month", metavar="YYYY-MM", required=True)
    statements.add_argument("--by", choices=CHARGED, required=True, help="whose statements")
    statements.add_argument("--unit", metavar="NAME", help="only this one's, as HTML and XLSX")
    statements.add_argument("--out", type=Path, default=Path("out"), metavar="DIR")
    statements.set_defaults(run=_statements)

    add_close(commands)
    add_accrual(commands)
    add_journal(commands)
    add_focus(commands)

    doctor = commands.add_parser("doctor", help="check that everything is set up")
    doctor.set_defaults(run=_doctor)

    demo = commands.add_parser("demo", help="write a realistic CUR 2.0 export to try things on")
    demo.add_argument("--out", type=Path, default=Path("demo"), metavar="DIR")
    demo.add_argument("--months", type=_positive, default=DEMO_MONTHS, metavar="N")
    demo.add_argument("--lines", type=_positive, default=60_000, metavar="N", help="per month")
    demo.set_defaults(run=_demo)
    return parser


def _refresh(options: argparse.Namespace) -> None:
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


def _say_price(workspace: Workspace) -> None:
    """Before months are read anew that an older program read, what that costs."""
    if not workspace.source.is_charged:
        return
    older = workspace.older_months()
    if older:
        dollars = sum(price(manifest.bytes_scanned) for manifest in older)
        print(
            f"chargeback: {count(older, 'billing period')} read by an earlier version of this "
            f"program will be read again, at about ${dollars:.4f} of Athena.",
            file=sys.stderr,
        )


def _export(options: argparse.Namespace) -> None:
    workspace = Workspace(load_settings())
    month, by = check_month(options.month), options.by
    closed = open_book(workspace.ledger.objects).find(month)
    stale = None if closed else ensure(workspace, month)
    statements = statements_now(workspace)
    if closed and by in closed.record.by:
        files = write_frozen_export(closed, by, options.out)
    else:
        answers, statement = statements.answers(month), statements.of(month, by)
        files = write_export(answers, statement, options.out, up_to_date=stale is None)
    blocks = [] if closed else warn(statements.answers(month), [month])
    for each in files.notices:
        print(line_of(month, each), file=sys.stderr)
    for name in files.outdated:
        print(
            f"chargeback: {name} no longer fits the files beside it: export it again.",
            file=sys.stderr,
        )
    print(*files.all, sep="\n")
    if options.strict and (blocks or stale):
        raise _NotClean


def _statements(options: argparse.Namespace) -> None:
    # They ask reports that make frames: pandas is slow to import, and no other command's.
    from chargeback.cli.statements import write_statements  # noqa: PLC0415

    for file in write_statements(options):
        print(file)


def _doctor(_: argparse.Namespace) -> None:
    from chargeback.doctor.examine import examine  # noqa: PLC0415  (slow, and no other command's)

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


def _demo(options: argparse.Namespace) -> None:
    from chargeback.demo import write_demo  # noqa: PLC0415  (no other command's concern)

    write_demo(
        options.out,
        today=today(),
        months=options.months,
        lines=options.lines,
        progress=progress(),
    )
    print(options.out)


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of 1 or more")
    return int(text)


def _complain(problem: Problem, status: int) -> int:
    text = f"chargeback: {problem}"
    print(shown(text, sys.stderr.encoding or "utf-8"), file=sys.stderr)
    return status
