"""Answers over a closed month: its facts and rules as they were frozen, read by this program."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from chargeback.closing.book import ClosedMonth
from chargeback.closing.rules_file import RULES, thaw_rules
from chargeback.enrichment.local_tables import LocalTables
from chargeback.enrichment.rules import Rules
from chargeback.files.atomic import flush
from chargeback.files.drafts import drafting
from chargeback.files.holds import delete_unless_held
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
        raise LedgerProblem(
            f"The facts of the close of {closed.month} can't be copied.",
            "Nothing can be worked out from them; the files that were sent are not affected.",
            "Check the free space, and that this user may write everything in the spend store.",
        )
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
    with drafting(copy.parent, UNFINISHED) as draft:
        for name in closed.names():
            if name in (SPEND, MANIFEST, RULES) or name.startswith("owners/"):
                (draft / name).parent.mkdir(parents=True, exist_ok=True)
                closed.download(name, draft / name)
        with suppress(OSError):  # another process was faster: its copy is the same
            delete_unless_held(copy)
            draft.replace(copy)
            flush(copy.parent)
