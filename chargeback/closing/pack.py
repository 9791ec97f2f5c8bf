"""The files of a close: every statement and what stands behind it, whole enough to stand alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import BinaryIO

from chargeback.closing.book import STATEMENT
from chargeback.closing.rules_file import RULES, freeze_rules, owner_files
from chargeback.closing.statements import Statements
from chargeback.files.atomic import sha256_of
from chargeback.ledger.chain import ClosedFile
from chargeback.reconciliation.compare import Reconciliation
from chargeback.statement.build import Statement
from chargeback.statement.export import write_export
from chargeback.statement.frozen import freeze
from chargeback.statement.unit_files import (
    archive_name,
    workbooks_name,
    write_archive,
    write_workbooks,
)
from chargeback.statement.unit_gather import gather
from chargeback.statement.unit_statement import charges_of
from chargeback.statement.workbook import workbook_name, write_statement_workbook
from chargeback.store.local import MANIFEST, SPEND

NOTICES, RECONCILIATION = "notices.json", "reconciliation.json"


@dataclass(frozen=True)
class Pack:
    """What a close freezes of one month."""

    statements: Statements
    made: Sequence[Statement]
    """Final, by each kind of unit."""
    found: Sequence[Reconciliation]
    """What came of reconciling, in each currency."""
    invoices: Mapping[str, bytes]
    """Documents, by their names in the close."""

    @property
    def month(self) -> str:
        """YYYY-MM."""
        return self.made[0].billing_period


def write_pack(pack: Pack, folder: Path, *, up_to_date: bool) -> tuple[ClosedFile, ...]:
    """Writes all files of a close but close.json into a folder; returns what they are.

    Raises:
        Problem: something can't be worked out.
        OSError: a file can't be written.
    """
    workspace, answers = pack.statements.workspace, pack.statements.answers(pack.month)
    period = answers.period(pack.month)
    workspace.store.copy_facts(period, folder / SPEND)
    _put(folder / MANIFEST, period.manifest.model_dump_json(indent=2).encode())
    _put(folder / RULES, freeze_rules(workspace.rules, workspace.allocation))
    for name, path in owner_files(workspace.rules).items():
        if path.exists():
            _put(folder / name, path.read_bytes())
    _put(folder / NOTICES, _json([each.model_dump() for each in pack.made[0].notices]))
    _put(folder / RECONCILIATION, _json([asdict(each) for each in pack.found]))
    for name, content in pack.invoices.items():
        _put(folder / name, content)
    for statement in pack.made:
        _write_set(pack, statement, folder, up_to_date=up_to_date)
    return tuple(_described(folder))


def _write_set(pack: Pack, statement: Statement, folder: Path, *, up_to_date: bool) -> None:
    """All that a month is sent out as, by one kind of unit; the detail is the same for all."""
    statements, month, by = pack.statements, pack.month, statement.bill_to_type
    answers, settings = statements.answers(month), statements.workspace.settings.statement
    files = write_export(answers, statement, folder / by, up_to_date=up_to_date)
    files.detail.replace(folder / files.detail.name)
    _put(folder / by / STATEMENT, freeze(statement))
    charged = {**statements.history(month, by), month: charges_of(statement)}
    found = gather(answers, statement, charged, statements.today, settings)
    writers: dict[str, Callable[[BinaryIO], None]] = {
        workbook_name(month, by): partial(write_statement_workbook, statement),
        archive_name(month, by): partial(write_archive, found),
        workbooks_name(month, by): partial(write_workbooks, found),
    }
    for name, write in writers.items():
        with (folder / by / name).open("wb") as file:
            write(file)


def _described(folder: Path) -> Iterator[ClosedFile]:
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name, size = file.relative_to(folder).as_posix(), file.stat().st_size
        yield ClosedFile(name=name, sha256=sha256_of(file), bytes=size)


def _put(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False, default=_plain).encode() + b"\n"


def _plain(value: object) -> str:
    """What JSON has no word for."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)
