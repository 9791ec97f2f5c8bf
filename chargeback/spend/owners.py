"""The owner list: a CSV file that says who pays for a principal or an account, and when."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

from chargeback.errors import UsageProblem

KEYS = ("iam_principal", "usage_account_id")
VALUES = ("tenant", "team", "project", "cost_center")
DATES = ("effective_from", "effective_to")


class OwnerListError(UsageProblem):
    """The owner list can't be used; says which lines, and what is allowed."""


@dataclass(frozen=True, slots=True)
class OwnerRow:
    """One line of the list; '' in a key matches anything, dates are half-open."""

    iam_principal: str
    usage_account_id: str
    values: dict[str, str]
    effective_from: date
    effective_to: date

    def is_in_force(self, on: date) -> bool:
        """Whether the row counts for usage of that day."""
        return self.effective_from <= on < self.effective_to

    def matches(self, account: str, principals: tuple[str, ...]) -> bool:
        """Whether the row speaks of this account and of one of these ARNs."""
        named = not self.iam_principal or any(
            name == self.iam_principal or fnmatchcase(name, self.iam_principal)
            for name in principals
            if name
        )
        return named and self.usage_account_id in ("", account)


def read_owners(path: Path) -> list[OwnerRow]:
    """The rows of an owner list, in file order.

    Raises:
        OwnerListError: the file can't be read or some lines are wrong; all are named at once.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            unknown = set(reader.fieldnames or ()) - {*KEYS, *VALUES, *DATES}
            if unknown or not reader.fieldnames:
                allowed = ", ".join((*KEYS, *VALUES, *DATES))
                raise OwnerListError(
                    f"{path.name}: unknown columns {sorted(unknown)}; allowed are {allowed}"
                )
            read = [(reader.line_num, _row_or_fault(row)) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise unreadable(path, error) from error
    faults = [f"line {number}: {row}" for number, row in read if isinstance(row, str)]
    if faults:
        raise OwnerListError(f"{path.name}: " + "; ".join(faults))
    return [row for _, row in read if isinstance(row, OwnerRow)]


def unreadable(path: Path, error: Exception) -> OwnerListError:
    """Says that a list can't be read, and why, without where on the server it lies."""
    why = error.strerror if isinstance(error, OSError) else error
    return OwnerListError(f"The owner list {path.name} can't be read as UTF-8 CSV: {why}.")


def _row_or_fault(cells: dict[str, str | None]) -> OwnerRow | str:
    text = {key: (value or "").strip() for key, value in cells.items() if isinstance(key, str)}
    if None in cells:
        return "more cells than columns"
    if not any(text.get(key) for key in KEYS):
        return "names neither iam_principal nor usage_account_id"
    try:
        start = date.fromisoformat(text.get("effective_from") or date.min.isoformat())
        end = date.fromisoformat(text.get("effective_to") or date.max.isoformat())
    except ValueError:
        return "a date is not written YYYY-MM-DD"
    if start >= end:
        return "effective_from is not before effective_to"
    values = {name: text[name] for name in VALUES if text.get(name)}
    return OwnerRow(
        text.get("iam_principal", ""), text.get("usage_account_id", ""), values, start, end
    )
