"""Answers over a closed month: its facts and rules as they were frozen, read by this program."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from pydantic import ValidationError

from chargeback.closing.book import ClosedMonth
from chargeback.closing.rules_file import RULES, thaw_rules
from chargeback.enrichment.local_tables import LocalTables
from chargeback.enrichment.rules import Rules
from chargeback.files.atomic import flush, sha256_of
from chargeback.files.holds import delete_unless_held, holding
from chargeback.ledger.objects import LedgerProblem
from chargeback.reports.answers import Answers
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.store.local import MANIFEST, SPEND, LocalPeriod, LocalStore
from chargeback.store.manifest import Manifest

FOLDER = "closed"
"""Within the spend store: copies of what was frozen, which may be deleted at any time."""
UNFINISHED = ".unfinished-"


@dataclass(frozen=True)
class Frozen:
    """What a closed month is worked out from."""

    answers: Answers
    rules: Rules
    allocation: AllocationSettings


def open_frozen(closed: ClosedMonth, store: Path) -> Frozen:
    """The facts and rules of a closed month, from a copy that is made if it isn't there.

    Args:
        closed: the month.
        store: the folder of the spend store.

    Raises:
        LedgerProblem: a file of the ledger is not what was frozen.
        OSError: it can't be read, or copied.
    """
    copy = copy_of(closed, store)
    period = _period(copy)
    if period is None:
        _copy(closed, copy)
        period = _period(copy)
    if period is None:
        raise _not_as_frozen("The facts", closed.month)
    rules, allocation = thaw_rules((copy / RULES).read_bytes(), copy)
    tables = LocalTables(LocalStore(copy.parent), [period], rules)
    return Frozen(Answers([period], rules, tables), rules, allocation)


def copy_of(closed: ClosedMonth, store: Path) -> Path:
    """The folder with the copy of what a close froze."""
    return store / FOLDER / closed.entry.close_sha256[:16]


def _period(copy: Path) -> LocalPeriod | None:
    """The facts in a copy; None where it isn't there, or no longer whole."""
    try:
        manifest = Manifest.model_validate_json((copy / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        return None
    period = LocalPeriod(copy, manifest)
    return period if period.is_whole() and (copy / RULES).is_file() else None


def _copy(closed: ClosedMonth, copy: Path) -> None:
    """Copies what is needed, each file checked against its digest, and puts it in place whole."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    for left in copy.parent.glob(f"{UNFINISHED}*"):
        delete_unless_held(left)
    draft = Path(mkdtemp(prefix=UNFINISHED, dir=copy.parent))
    with holding(draft):
        try:
            for file in closed.record.files:
                if file.name in (SPEND, MANIFEST, RULES) or file.name.startswith("owners/"):
                    _download(closed, file.name, file.sha256, draft / file.name)
            delete_unless_held(copy)
            draft.replace(copy)
            flush(copy.parent)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _download(closed: ClosedMonth, name: str, sha256: str, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    closed.objects.download(f"{closed.entry.folder}{name}", file)
    if sha256_of(file) != sha256:
        raise _not_as_frozen(name, closed.month)


def _not_as_frozen(name: str, month: str) -> LedgerProblem:
    return LedgerProblem(
        f"{name} of the close of {month} is not what was frozen.",
        "Nothing can be worked out from it; the files that were sent are not affected.",
        "Run verify, and restore the ledger from its backup.",
    )
