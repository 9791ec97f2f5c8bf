"""Profiles: what a ledger's import file looks like, each a TOML file.

system = "Our ledger"
source = "where its layout is described"
certified_by_vendor = false
columns = [
    { name = "Doc", field = "document_id", max_length = 20 },
    { name = "Type", constant = "GL" },
    { name = "Dept", dimension = "department", default = "000" },
    { name = "Left empty" },
]
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from chargeback.errors import UsageProblem
from chargeback.statement.journal.fields import FIELDS

PROFILES = Path(__file__).with_name("profiles")
SUFFIX = ".toml"
EXAMPLE = ".example.toml"
"""Ends the names of those whose layout differs by customer."""
DATES = {
    "YYYY-MM-DD": "%Y-%m-%d",
    "YYYY/MM/DD": "%Y/%m/%d",
    "YYYYMMDD": "%Y%m%d",
    "MM/DD/YYYY": "%m/%d/%Y",
    "DD/MM/YYYY": "%d/%m/%Y",
    "DD.MM.YYYY": "%d.%m.%Y",
}
NEEDED = ("posting_date", "account")
AMOUNTS = ({"debit", "credit"}, {"amount"})
"""One of these sets has to be there, whole."""


class Column(BaseModel):
    """A column of a file: empty, or filled from one source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    field: str = ""
    """A key of FIELDS."""
    constant: str = ""
    dimension: str = ""
    """A column of the list of accounts."""
    default: str = ""
    """Of a dimension, where a line has none."""
    max_length: int = Field(default=0, ge=0)
    """Characters; 0 for any number."""

    @model_validator(mode="after")
    def _has_one_source(self) -> Column:
        if sum(map(bool, (self.field, self.constant, self.dimension))) > 1:
            raise ValueError("a column has one of field, constant and dimension, or none")
        if self.field and self.field not in FIELDS:
            raise ValueError(f"{self.field!r} is no field; there are {', '.join(FIELDS)}")
        return self


class Profile(BaseModel):
    """The file that a ledger takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = ""
    """In names of files; its own file's, if it says none."""
    system: str
    """The ledger, for people."""
    source: str
    """Where its layout is described."""
    certified_by_vendor: bool
    unverified: str = ""
    """What of the layout could not be looked up."""
    before_import: str = ""
    """What whoever imports the file has to see to."""
    archive_member: str = ""
    """The name of the file within a ZIP archive; '' for no archive."""
    header: bool = True
    """Whether the first line names the columns."""
    encoding: Literal["utf-8", "utf-8-sig"] = "utf-8"
    delimiter: Literal[",", ";", "\t"] = ","
    decimal: Literal[".", ","] = "."
    date_format: Literal[
        "YYYY-MM-DD", "YYYY/MM/DD", "YYYYMMDD", "MM/DD/YYYY", "DD/MM/YYYY", "DD.MM.YYYY"
    ] = "YYYY-MM-DD"
    line_limit: int = Field(default=0, ge=0)
    """Lines that a journal entry can have; 0 for any number."""
    line_step: int = Field(default=1, ge=1)
    """From a line's number to the next one's."""
    lines_run_through: bool = False
    """Whether lines are numbered through the file; otherwise from the start in each document."""
    columns: tuple[Column, ...] = ()
    """In the file's order; none where they differ by customer."""
    known: tuple[Column, ...] = ()
    """Columns that a customer's template may have, in any order."""

    @model_validator(mode="after")
    def _can_be_posted(self) -> Profile:
        if self.columns and (missing := self.missing):
            raise ValueError(f"no column has the field {missing}")
        return self

    @property
    def missing(self) -> str:
        """What no column holds though every journal needs it; '' if nothing."""
        held = {column.field for column in self.columns}
        if lacking := [name for name in NEEDED if name not in held]:
            return lacking[0]
        return "" if any(each <= held for each in AMOUNTS) else "amount, or debit and credit"

    @property
    def tells_currency(self) -> bool:
        """Whether a file may hold several currencies."""
        return any(column.field == "currency" for column in self.columns)


def profile_names() -> list[str]:
    """The profiles that come with the program."""
    return sorted(_plain_name(file) for file in PROFILES.glob(f"*{SUFFIX}"))


def read_profile(name: str) -> Profile:
    """A profile by its name, or from a file of one's own, whose name ends in .toml.

    Raises:
        UsageProblem: there is none, or it is not as a profile has to be.
    """
    path = Path(name) if name.endswith(SUFFIX) else _own(name)
    try:
        said = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
        return Profile.model_validate({"name": _plain_name(path)} | said)
    except OSError as error:
        raise UsageProblem(f"The profile {path.name} can't be read: {error.strerror}.") from error
    except ValidationError as error:
        raise UsageProblem(f"The profile {path.name}: {_told(error)}.") from error
    except ValueError as error:
        raise UsageProblem(f"The profile {path.name} is not TOML in UTF-8: {error}.") from error


def _own(name: str) -> Path:
    if name not in profile_names():
        raise UsageProblem(
            f"There is no profile {name!r}.",
            todo=f"Use {', '.join(profile_names())}, or a file of your own that ends in .toml.",
        )
    example = PROFILES / f"{name}{EXAMPLE}"
    return example if example.exists() else PROFILES / f"{name}{SUFFIX}"


def _plain_name(path: Path) -> str:
    return path.name.removesuffix(EXAMPLE).removesuffix(SUFFIX)


def _told(error: ValidationError) -> str:
    """Each fault with where it stands: 'columns, entry 3: …'."""
    return "; ".join(f"{_where(each['loc'])}{each['msg']}" for each in error.errors())


def _where(loc: tuple[int | str, ...]) -> str:
    parts = (f"entry {part + 1}" if isinstance(part, int) else part for part in loc)
    return f"{', '.join(parts)}: " if loc else ""
