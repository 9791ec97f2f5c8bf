"""The files of units' statements: their names, and all of a month in one archive with an index."""

from __future__ import annotations

import hashlib
import io
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile

from chargeback.files.archive import put
from chargeback.files.atomic import write_whole
from chargeback.files.csv_file import write_csv
from chargeback.statement.unit_html import document
from chargeback.statement.unit_statement import UnitStatement, UnitStatements
from chargeback.statement.unit_workbook import write_unit_workbook

INDEX = "index.csv"
INDEX_COLUMNS = ("unit", "file", "amount_due", "sha256")
SLUG_LENGTH = 40
UNNAMED = "unnamed"

Hears = Callable[[int, int], None]
"""Hears how many statements are written, of how many."""


def file_name(statement: UnitStatement, kind: str) -> str:
    """`statement-<by>-<month>-<nnn>-<slug>.<kind>`, kind html or xlsx."""
    number, slug = f"{statement.number:03d}", slug_of(statement.name)
    return f"statement-{statement.by}-{statement.month}-{number}-{slug}.{kind}"


def archive_name(month: str, by: str) -> str:
    """The name of the archive with all statements of a month."""
    return f"statements-{by}-{month}.zip"


def workbooks_name(month: str, by: str) -> str:
    """The name of the archive with all workbooks of a month, which a close keeps."""
    return f"workbooks-{by}-{month}.zip"


def slug_of(name: str) -> str:
    """1 to 40 lower-case ASCII letters, digits and dashes; of another script 'unnamed'."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "-", plain).strip("-")[:SLUG_LENGTH].rstrip("-") or UNNAMED


def html_bytes(statement: UnitStatement) -> bytes:
    """The document, as its file holds it."""
    return document(statement).encode()


def workbook_bytes(statement: UnitStatement) -> bytes:
    """The workbook, as its file holds it."""
    out = io.BytesIO()
    write_unit_workbook(statement, out)
    return out.getvalue()


def write_archive(statements: UnitStatements, out: BinaryIO, hears: Hears | None = None) -> None:
    """Writes the documents of all units of a month, and an index of them, as a ZIP archive.

    A row of the index is a document; where a month has several currencies, a unit has one in each.

    Args:
        statements: of the month.
        out: where to; stays open.
        hears: of each document.
    """
    charges, index = statements.statement.charges, []
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for at, statement in enumerate(map(statements.of, charges), start=1):
            name, content = file_name(statement, "html"), html_bytes(statement)
            put(archive, name, content)
            digest = hashlib.sha256(content).hexdigest()
            index.append([statement.unit, name, statement.amount_due, digest])
            if hears:
                hears(at, len(charges))
        table = io.BytesIO()
        write_csv(table, INDEX_COLUMNS, index)
        put(archive, INDEX, table.getvalue())


def write_workbooks(statements: UnitStatements, out: BinaryIO) -> None:
    """Writes the workbooks of all units of a month as a ZIP archive."""
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for statement in map(statements.of, statements.statement.charges):
            put(archive, file_name(statement, "xlsx"), workbook_bytes(statement))


def write_unit_files(statements: UnitStatements, unit: str, out: Path) -> list[Path]:
    """Writes document and workbook of one unit into `out`, in each currency; returns them.

    Raises:
        UsageProblem: nothing is charged to the unit.
    """
    written = []
    for statement in map(statements.of, statements.find(unit)):
        for kind, content in (("html", html_bytes(statement)), ("xlsx", workbook_bytes(statement))):
            written.append(out / file_name(statement, kind))
            _write(written[-1], content)
    return written


def write_archive_file(statements: UnitStatements, out: Path, hears: Hears | None = None) -> Path:
    """Writes the archive with all statements of the month into `out`; returns its path."""
    content = io.BytesIO()
    write_archive(statements, content, hears)
    statement = statements.statement
    file = out / archive_name(statement.billing_period, statement.bill_to_type)
    _write(file, content.getvalue())
    return file


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, content)
