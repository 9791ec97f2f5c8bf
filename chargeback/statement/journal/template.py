"""Templates: the header row of a customer's own import file gives a profile its columns."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

from chargeback.errors import UsageProblem
from chargeback.files.lists import decoded, filled_lines
from chargeback.statement.journal.profile import Column, Profile

DELIMITERS = (",", ";", "\t")


class Fitted(NamedTuple):
    """A profile with the columns of a template."""

    profile: Profile
    unfilled: list[str]
    """Headers that nothing is known for: their columns stay empty."""


def fitted(profile: Profile, template: Path) -> Fitted:
    """A profile with the columns of a template, in its order and with its separator.

    Raises:
        UsageProblem: the template can't be read, or lacks a column that every journal needs.
    """
    line = _header(template)
    delimiter = max(DELIMITERS, key=line.count)
    headers = [name.strip() for name in next(csv.reader([line], delimiter=delimiter))]
    known = {_key(column.name): column for column in (*profile.known, *profile.columns)}
    columns = [
        known.get(_key(name), Column(name=name)).model_copy(update={"name": name})
        for name in headers
    ]
    made = profile.model_copy(
        update={"columns": tuple(columns), "delimiter": delimiter, "header": True}
    )
    if missing := made.missing:
        raise UsageProblem(
            f"{template.name}: no column of its header row is known to hold the {missing}.",
            "No file was written.",
            "Name the columns in a profile of your own.",
        )
    return Fitted(made, [name for name in headers if _key(name) not in known])


def _key(name: str) -> str:
    """Templates mark what is required with a star, and differ in case and blanks."""
    return "".join(name.replace("*", "").split()).casefold()


def _header(template: Path) -> str:
    try:
        content = template.read_bytes()
        lines = filled_lines(decoded(content))
    except OSError as error:
        raise UsageProblem(f"{template.name} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageProblem(
            f"{template.name} is no CSV file in UTF-8.",
            todo="Save the template as CSV UTF-8; a workbook can't be read.",
        ) from error
    _, line = next(lines, (0, ""))
    if not line:
        raise UsageProblem(f"{template.name} is empty.", todo="Its first row names the columns.")
    return line
