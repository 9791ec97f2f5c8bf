"""accounts.csv: the account of each unit, its cost center, and whatever else a ledger asks for.

    bill_to,account,cost_center,department
    acme-corp,7410,CC-100,Sales
    (unallocated),7490,CC-900,
    ,6500,CC-000,

Columns beside `bill_to` and `account` are dimensions; names of columns are read in any case. A row
without a unit gives the dimensions of lines on an account that is no unit's: clearing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chargeback.errors import UsageProblem
from chargeback.files.cells import neutralise
from chargeback.files.lists import (
    Fault,
    FaultError,
    by_column,
    cells_of,
    check_once,
    decoded,
    filled_lines,
)
from chargeback.statement.journal.settings import code_fault

UNIT, ACCOUNT, COST_CENTER = "bill_to", "account", "cost_center"


class AccountsError(UsageProblem):
    """The list of accounts can't be used; says which lines, and why."""


@dataclass(frozen=True, slots=True)
class Account:
    """A row: an account, with the values of its dimensions by their names."""

    number: str
    dimensions: Mapping[str, str]
    line: int = field(default=0, compare=False)
    """Of the list."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts of units."""

    name: str
    """The list's, for people."""
    of_units: Mapping[str, Account]
    dimensions: tuple[str, ...] = ()
    """The columns beside unit and account."""
    of_accounts: Mapping[str, Account] = field(default_factory=dict)
    """Rows without a unit, by account."""

    def of(self, unit: str) -> Account | None:
        """The account of a unit, which may be written as our files write it; None for none."""
        return self.of_units.get(unit) or self.of_units.get(neutralise(unit))

    def dimensions_of(self, account: str) -> Mapping[str, str]:
        """The dimensions of lines on an account that is no unit's."""
        row = self.of_accounts.get(account)
        return row.dimensions if row else {}


def read_accounts(path: Path) -> Accounts:
    """The accounts that a list gives.

    Raises:
        AccountsError: it can't be read, or some lines are wrong; all are named at once.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise AccountsError(
            f"The list of accounts {path.name} can't be read: {error.strerror}.",
            todo="Set `accounts` in the section [journal] to the list of your units' accounts.",
        ) from error
    return accounts_in(path.name, content)


def accounts_in(name: str, content: bytes) -> Accounts:
    """The accounts that a file holds. Raises AccountsError."""
    try:
        lines = filled_lines(decoded(content))
    except UnicodeDecodeError as error:
        at = content.count(b"\n", 0, error.start) + 1
        raise AccountsError(
            f"{name}, line {at}, is not written in UTF-8.", todo="Save it as CSV UTF-8."
        ) from error
    number, header = next(lines, (1, ""))
    try:
        columns = _header(header)
    except FaultError as fault:
        raise _unusable(name, [Fault(number, str(fault))]) from fault
    rows, faults = _read(lines, columns)
    if wrong := sorted(faults + list(_contradictions(rows))):
        raise _unusable(name, wrong)
    units = {unit: account for unit, account in rows if unit}
    others = {account.number: account for unit, account in rows if not unit}
    return Accounts(name, units, _dimensions(columns), others)


def _unusable(name: str, faults: Iterable[Fault]) -> AccountsError:
    told = "; ".join(map(str, faults))
    return AccountsError(f"{name}: {told}.", "Nothing was written.", "Correct the list.")


def _header(line: str) -> list[str]:
    columns = [name.lower() for name in cells_of(line)]
    check_once(columns)
    if missing := [name for name in (UNIT, ACCOUNT) if name not in columns]:
        raise FaultError(f"there is no column {' or '.join(missing)}; commas separate columns")
    if "" in columns:
        raise FaultError("a column has no name")
    return columns


def _dimensions(columns: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in columns if name not in (UNIT, ACCOUNT))


def _read(
    lines: Iterable[tuple[int, str]], columns: list[str]
) -> tuple[list[tuple[str, Account]], list[Fault]]:
    rows, faults = [], []
    for number, line in lines:
        try:
            cells = by_column(line, columns)
            rows.append((cells[UNIT], _account(number, cells, columns)))
        except FaultError as fault:
            faults.append(Fault(number, str(fault)))
    return rows, faults


def _account(number: int, cells: Mapping[str, str], columns: Sequence[str]) -> Account:
    if not cells[ACCOUNT]:
        raise FaultError("there is no account")
    for name in columns:
        if name != UNIT and (why := code_fault(cells[name])):
            raise FaultError(f"{name} {cells[name]!r} {why}")
    dimensions = {name: cells[name] for name in _dimensions(columns)}
    return Account(cells[ACCOUNT], dimensions, number)


def _contradictions(rows: Iterable[tuple[str, Account]]) -> Iterator[Fault]:
    """Rows that say different things of one unit, or of one account; at the later line."""
    known: dict[tuple[str, str], Account] = {}
    for unit, account in rows:
        first = known.setdefault((unit, "" if unit else account.number), account)
        if first != account:
            yield Fault(account.line, f"{unit or account.number} is otherwise in line {first.line}")
