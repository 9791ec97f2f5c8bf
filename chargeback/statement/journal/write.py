"""A journal as the file of a profile."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from chargeback.errors import Problem, UsageProblem
from chargeback.files.archive import put
from chargeback.files.atomic import write_whole
from chargeback.files.cells import neutralise, plain_amount
from chargeback.files.names import safe_file_name
from chargeback.statement.journal.fields import FIELDS, TEXTS, Place, Value
from chargeback.statement.journal.model import Journal, JournalDocument
from chargeback.statement.journal.profile import DATES, Column, Profile
from chargeback.statement.journal.split import documents_of


def write_journal(journal: Journal, profile: Profile, out: Path) -> list[Path]:
    """Writes a journal into `out`; a file for each currency where the layout tells none.

    Args:
        journal: what is posted.
        profile: the layout.
        out: the folder; made if it isn't there.

    Raises:
        UsageProblem: the profile has no columns.
        Problem: something does not fit into the layout. No file was written.
        OSError: a file can't be written.
    """
    if not profile.columns:
        raise UsageProblem(
            f"The layout for {profile.system} differs by customer: its columns are not set.",
            todo="Give your own template with --template, or set `columns` in a copy of the "
            "profile and give that file's name.",
        )
    files = {out / each: content for each, content in _contents(journal, profile)}
    out.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        write_whole(file, content)
    return list(files)


def _contents(journal: Journal, profile: Profile) -> Iterator[tuple[str, bytes]]:
    stem = f"journal-{safe_file_name(profile.name)}-{journal.by}-{journal.month}"
    kind = "zip" if profile.archive_member else "csv"
    if profile.tells_currency or len(journal.currencies) == 1:
        yield f"{stem}.{kind}", _content(journal, profile)
        return
    for currency in journal.currencies:
        mine = tuple(each for each in journal.postings if each.currency == currency)
        content = _content(replace(journal, postings=mine), profile)
        yield f"{stem}-{safe_file_name(currency)}.{kind}", content


def _content(journal: Journal, profile: Profile) -> bytes:
    content = _table(documents_of(journal, profile.line_limit), profile)
    if not profile.archive_member:
        return content
    out = io.BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        put(archive, profile.archive_member, content)
    return out.getvalue()


def _table(documents: Sequence[JournalDocument], profile: Profile) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=profile.delimiter, lineterminator="\r\n")
    if profile.header:
        writer.writerow(column.name for column in profile.columns)
    for place in _places(documents, profile):
        writer.writerow(_cell(place, column, profile) for column in profile.columns)
    return out.getvalue().encode(profile.encoding)


def _places(documents: Iterable[JournalDocument], profile: Profile) -> Iterator[Place]:
    before = 0
    for document in documents:
        for at, line in enumerate(document.lines, start=1):
            yield Place(document, line, (before + at) * profile.line_step)
        before += len(document.lines) if profile.lines_run_through else 0


def _cell(place: Place, column: Column, profile: Profile) -> str:
    text = _text(_value(place, column), profile)
    if not column.max_length or len(text) <= column.max_length:
        return text
    if column.field in TEXTS:
        return text[: column.max_length]
    raise Problem(
        f"{text!r} has {len(text)} characters; {column.name} of {profile.system} takes "
        f"{column.max_length}.",
        "No file was written.",
    )


def _value(place: Place, column: Column) -> Value:
    if column.field:
        return FIELDS[column.field](place)
    if column.dimension:
        return place.line.dimensions.get(column.dimension) or column.default
    return column.constant


def _text(value: Value, profile: Profile) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            return f"{plain_amount(value):.2f}".replace(".", profile.decimal)
        case date():
            return f"{value:{DATES[profile.date_format]}}"
        case int():
            return str(value)
        case str():
            # Only other people's text can begin like a formula: codes that do are refused before.
            return neutralise(_in_one_line(value))


def _in_one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
