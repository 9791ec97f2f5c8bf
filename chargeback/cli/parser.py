"""The commands and their options; what a command needs is imported when it runs."""

from __future__ import annotations

import argparse
import gc
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from chargeback.dimensions import CHARGED
from chargeback.errors import UsageProblem

Commands: TypeAlias = "argparse._SubParsersAction[Any]"
Run = Callable[[argparse.Namespace], None]


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; the usage is what --help is for."""

    def error(self, message: str) -> NoReturn:
        raise UsageProblem(f"{message}.", todo=f"See {self.prog} --help.")


def make_parser() -> argparse.ArgumentParser:
    """Gives options whose `run` takes them."""
    parser = _Parser(
        prog="python -m chargeback", description="Amazon Bedrock chargeback from CUR 2.0."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_refresh(commands)
    _add_export(commands)
    _add_statements(commands)
    _add_close(commands)
    _add_accrual(commands)
    _add_journal(commands)
    _add_focus(commands)
    _add_set_up(commands)
    return parser


def _of(module: str, name: str = "run") -> Run:
    """What a command runs."""

    def run(options: argparse.Namespace) -> None:
        # Modules stay: to look for garbage among them takes a tenth of the time to import them.
        gc.disable()
        command = import_module(f"chargeback.cli.{module}")
        gc.freeze()
        gc.enable()
        getattr(command, name)(options)

    return run


def _add_refresh(commands: Commands) -> None:
    refresh = commands.add_parser("refresh", help="bring the spend store up to date")
    which = refresh.add_mutually_exclusive_group()
    which.add_argument("--month", metavar="YYYY-MM", help="only this billing period")
    which.add_argument("--months", type=_positive, metavar="N", help="only the newest N")
    refresh.add_argument(
        "--accept", metavar="YYYY-MM", help="accept a delivery that holds less than before"
    )
    refresh.set_defaults(run=_of("refresh"))


def _add_export(commands: Commands) -> None:
    export = commands.add_parser("export", help="write a month's chargeback files")
    export.add_argument("--month", metavar="YYYY-MM", required=True)
    export.add_argument("--by", choices=CHARGED, required=True, help="whom to charge")
    export.add_argument("--out", type=Path, default=Path("out"), metavar="DIR")
    export.add_argument(
        "--strict",
        action="store_true",
        help="exit 3 where something blocks the month's close or the figures are not up to date",
    )
    export.set_defaults(run=_of("export"))


def _add_statements(commands: Commands) -> None:
    statements = commands.add_parser(
        "statements", help="write the statements that units are handed: one, or all as a ZIP"
    )
    statements.add_argument("--month", metavar="YYYY-MM", required=True)
    statements.add_argument("--by", choices=CHARGED, required=True, help="whose statements")
    statements.add_argument("--unit", metavar="NAME", help="only this one's, as HTML and XLSX")
    statements.add_argument("--out", type=Path, default=Path("out"), metavar="DIR")
    statements.set_defaults(run=_of("statements"))


def _add_close(commands: Commands) -> None:
    close = commands.add_parser("close", help="close a month: freeze its figures")
    close.add_argument("--month", metavar="YYYY-MM", required=True)
    close.add_argument("--note", metavar="TEXT", required=True, help="what was looked at")
    close.add_argument(
        "--despite", metavar="CODE[,CODE]", default="", help="close although these stand in the way"
    )
    close.add_argument("--as", dest="as_name", metavar="NAME", default="", help="who you are")
    close.set_defaults(run=_of("close", "close"))

    reopen = commands.add_parser("reopen", help="withdraw the newest close")
    reopen.add_argument("--month", metavar="YYYY-MM", required=True)
    reopen.add_argument("--reason", metavar="TEXT", required=True)
    reopen.add_argument("--as", dest="as_name", metavar="NAME", default="", help="who you are")
    reopen.set_defaults(run=_of("close", "reopen"))

    diff = commands.add_parser("diff", help="compare a closed month with the bill as it is now")
    diff.add_argument("--month", metavar="YYYY-MM", required=True)
    diff.add_argument("--out", type=Path, default=Path("out"), metavar="DIR")
    diff.set_defaults(run=_of("close", "diff"))

    verify = commands.add_parser("verify", help="check that nothing in the ledger was changed")
    verify.set_defaults(run=_of("close", "verify_ledger"))


def _add_accrual(commands: Commands) -> None:
    accrual = commands.add_parser(
        "accrual", help="estimate an open month: what is accrued, and its reversal in the next"
    )
    accrual.add_argument("--month", metavar="YYYY-MM", required=True)
    accrual.add_argument("--by", choices=CHARGED, required=True, help="whom to charge")
    accrual.add_argument("--out", type=Path, default=Path("out"), metavar="DIR")
    accrual.set_defaults(run=_of("accrual"))


def _add_journal(commands: Commands) -> None:
    command = commands.add_parser("journal", help="write a closed month's file for the ledger")
    command.add_argument("--month", metavar="YYYY-MM", required=True)
    command.add_argument("--by", choices=CHARGED, required=True, help="whom to charge")
    command.add_argument(
        "--profile",
        metavar="NAME",
        required=True,
        help="the ledger's layout (README), or a file of your own that ends in .toml",
    )
    command.add_argument(
        "--accrual", action="store_true", help="of an open month: its accrual and the reversal"
    )
    command.add_argument(
        "--template", type=Path, metavar="FILE", help="a CSV file whose first row names the columns"
    )
    command.add_argument(
        "--posting-date",
        metavar="YYYY-MM-DD",
        help="a day of the open accounting period; by default the month's last",
    )
    command.add_argument("--out", type=Path, default=Path("out"), metavar="DIR")
    command.set_defaults(run=_of("journal"))


def _add_focus(commands: Commands) -> None:
    focus = commands.add_parser("focus", help="write a month's charges as a FOCUS dataset")
    focus.add_argument("--month", metavar="YYYY-MM", required=True)
    focus.add_argument("--by", choices=CHARGED, required=True, help="whom to charge")
    focus.add_argument("--version", choices=("1.2", "1.3"), required=True, help="of FOCUS")
    focus.add_argument("--out", type=Path, default=Path("out"), metavar="DIR")
    focus.set_defaults(run=_of("focus"))


def _add_set_up(commands: Commands) -> None:
    doctor = commands.add_parser("doctor", help="check that everything is set up")
    doctor.set_defaults(run=_of("doctor"))

    demo = commands.add_parser("demo", help="write a realistic CUR 2.0 export to try things on")
    demo.add_argument("--out", type=Path, default=Path("demo"), metavar="DIR")
    demo.add_argument("--months", type=_positive, metavar="N")
    demo.add_argument("--lines", type=_positive, default=60_000, metavar="N", help="per month")
    demo.set_defaults(run=_of("demo"))


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of 1 or more")
    return int(text)
