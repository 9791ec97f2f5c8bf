"""Closing a month: everything or nothing, and one of several at once."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from chargeback import __version__
from chargeback.access.change import Actor, ChangeRefused, require_change
from chargeback.billing_period import is_over, now
from chargeback.closing.blockers import OWN_CODES, blockers, remarks
from chargeback.closing.book import CloseRecord, require_same_bill
from chargeback.closing.entries import add, require_whole, writing
from chargeback.closing.frozen_facts import FOLDER, UNFINISHED
from chargeback.closing.invoice_documents import invoice_documents
from chargeback.closing.pack import Pack, write_pack
from chargeback.closing.restated_cents import due
from chargeback.closing.statements import Statements
from chargeback.dimensions import CHARGED
from chargeback.errors import Problem, UsageProblem
from chargeback.files.drafts import drafting
from chargeback.ledger.chain import CLOSE, ClosedFile, Entry, link_of
from chargeback.notices import CODES
from chargeback.reconciliation.compare import Reconciliation, reconcile
from chargeback.reports.period_status import status_of
from chargeback.reports.view import View
from chargeback.statement.build import Statement
from chargeback.statement.documents import CloseNote, Despite

BLOCKS = "blocks-close"
DECIDING = ("changed the owner list", "accepted the delivery")
"""Begin what the ledger says of changes that decide about figures."""


@dataclass(frozen=True)
class Preview:
    """What closing a month now would freeze, and what stands in the way."""

    month: str
    made: Sequence[Statement]
    """Final, by each kind of unit."""
    found: Sequence[Reconciliation]
    blockers: Sequence[Despite]
    remarks: Sequence[str]

    def open(self, despite: Sequence[str]) -> list[Despite]:
        """What still stands in the way, if these codes are overridden."""
        return [each for each in self.blockers if each.code not in despite]


def why_not_to_close(statements: Statements, month: str) -> str:
    """Why a month can't be closed at all now, in a sentence; '' if it can."""
    book, stored = statements.book, statements.now.months if statements.now else []
    newest = book.newest
    if book.find(month):
        return f"{month} is closed already."
    if month not in stored:
        return f"There is no billing period {month} in the store."
    if not is_over(month, statements.today):
        return f"{month} is not over."
    if newest and month < newest.month:
        return f"{newest.month} is closed: a month before it can't be closed any more."
    if newest and month != statements.posting_month:
        return f"Months are closed in order: {statements.posting_month} comes first."
    return ""


def preview_close(statements: Statements, month: str) -> Preview:
    """What closing a month would freeze, worked out now; Cost Explorer and invoices are asked.

    Raises:
        UsageProblem: it can't be closed at all, or the bill is not the ledger's.
        Problem: it can't be worked out.
    """
    if why := why_not_to_close(statements, month):
        raise UsageProblem(why, "Nothing was closed.")
    answers, settings = statements.answers(month), statements.workspace.settings.close
    require_same_bill(statements.book, payers_of(statements, month))
    made = [statements.final(month, by) for by in settings.by]
    found = list(_reconciled(statements, month))
    return Preview(
        month=month,
        made=made,
        found=found,
        blockers=blockers(answers, made, found, settings.unallocated_limit),
        remarks=[*remarks(answers, month, found), *_not_posted(statements)],
    )


def _not_posted(statements: Statements) -> Iterator[str]:
    """What of closed months is posted by no kind of unit that this close is made out to."""
    kinds = {by for closed in statements.book.closed for by in closed.record.by}
    for by in sorted(kinds - set(statements.workspace.settings.close.by)):
        for found in statements.restatements(by):
            if due(statements.book, found):
                yield (
                    f"What has changed in {found.closed.month} by {CHARGED[by].noun} is not posted "
                    f"with this close: [close] by no longer names {by}."
                )


def payers_of(statements: Statements, month: str) -> frozenset[str]:
    """The accounts that pay a month's bill."""
    bases = statements.answers(month).bill(month).cost_basis
    return frozenset(each.payer_account_id for each in bases if each.payer_account_id)


def close_month(  # noqa: PLR0913
    statements: Statements,
    month: str,
    actor: Actor,
    note: str,
    despite: Sequence[str] = (),
    *,
    up_to_date: bool = True,
) -> Entry:
    """Closes a month: freezes its statements and all that stands behind them.

    Args:
        statements: of the state to freeze.
        month: the month.
        actor: who closes it.
        note: what they say of it.
        despite: codes of what may stand in the way.
        up_to_date: whether the bill could be asked for anything newer.

    Raises:
        ChangeRefused: they may not.
        UsageProblem: it can't be closed at all, a code is unknown, or there is no note.
        Problem: something stands in the way, somebody else was faster, or it can't be written.
    """
    workspace = statements.workspace
    require_change(actor, workspace.settings, f"close {month}")
    _require_sense(note, despite)
    require_whole(workspace.ledger)
    preview = preview_close(statements, month)
    _require_two_people(statements, actor)
    if open_ := preview.open(despite):
        raise _blocked(month, open_)
    closed = CloseNote(who=str(actor), when=now(), note=note, despite=tuple(preview.blockers))
    made = [replace(each, closed=closed) for each in preview.made]
    ledger, (invoices, lacking) = workspace.ledger, invoice_documents(statements, month)
    preview = replace(preview, made=made, remarks=[*preview.remarks, *lacking])
    pack = Pack(statements, made, preview.found, invoices)
    drafts = workspace.settings.store_folder / FOLDER
    with writing(month, ledger), drafting(drafts, UNFINISHED) as draft:
        files = write_pack(pack, draft, up_to_date=up_to_date)
        entry = _put_in_ledger(statements, preview, closed, draft, files)
        add(ledger, statements.book, entry, actor)
    return entry


def _require_sense(note: str, despite: Sequence[str]) -> None:
    if not note.strip():
        raise UsageProblem("A month is closed with a note.", todo="Say what was looked at.")
    known = {*OWN_CODES, *(code for code, kind in CODES.items() if kind.severity == BLOCKS)}
    if unknown := sorted(set(despite) - known):
        raise UsageProblem(
            f"{', '.join(unknown)}: nothing of that name can stand in the way of a close.",
            todo=f"Use {', '.join(sorted(known))}.",
        )


def _require_two_people(statements: Statements, actor: Actor) -> None:
    """Who closes is not who last changed an owner list, or took a delivery that holds less."""
    settings = statements.workspace.settings
    if not settings.close.two_people:
        return
    last = ""
    for each in statements.workspace.ledger.changes():
        if each["what"].startswith(DECIDING):
            last = each["who"]
    if last.partition(" as ")[0] == str(actor).partition(" as ")[0]:
        raise ChangeRefused(
            f"{last} changed what decides about this month last, and can't close it too.",
            "Nothing was closed.",
            "Somebody else has to close it: [close] two_people is set.",
        )


def _reconciled(statements: Statements, month: str) -> Iterator[Reconciliation]:
    workspace, answers = statements.workspace, statements.answers(month)
    for currency in answers.bill(month).totals:
        view = View(month, currency, statements.rows)
        yield reconcile(
            answers, workspace.cost_explorer, workspace.invoices, view, statements.today
        )


def _put_in_ledger(
    statements: Statements,
    preview: Preview,
    closed: CloseNote,
    draft: Path,
    files: tuple[ClosedFile, ...],
) -> Entry:
    """Puts the files in the ledger; returns the entry that makes it a closed month."""
    objects = statements.workspace.ledger.objects
    book, month, answers = statements.book, preview.month, statements.answers(preview.month)
    revision, link = book.revision(month) + 1, link_of(objects, book.entries)
    folder = f"closes/{month}-r{revision}-{uuid.uuid4().hex[:8]}/"
    record = CloseRecord(
        program_version=__version__,
        billing_period=month,
        revision=revision,
        who=closed.who,
        when=closed.when,
        note=closed.note,
        despite=closed.despite,
        said=tuple(preview.remarks),
        period_status=status_of(answers, month, statements.today),
        data_as_of=preview.made[0].data_as_of,
        payer_account_ids=tuple(sorted(payers_of(statements, month))),
        by=tuple(each.bill_to_type for each in preview.made),
        bill=preview.made[0].bill,
        methodology_version=preview.made[0].methodology,
        files=files,
        previous=link,
    )
    for file in files:
        objects.create(f"{folder}{file.name}", draft / file.name)
    said = record.model_dump_json(indent=2).encode() + b"\n"
    objects.create(f"{folder}{CLOSE}", said)
    return Entry(
        number=len(book.entries) + 1,
        kind="close",
        billing_period=month,
        revision=revision,
        payer_account_ids=record.payer_account_ids,
        who=closed.who,
        when=closed.when,
        note=closed.note,
        folder=folder,
        close_sha256=hashlib.sha256(said).hexdigest(),
        previous=link,
    )


def _blocked(month: str, open_: Sequence[Despite]) -> Problem:
    said = " ".join(f"{each.code}: {each.words}" for each in open_)
    codes = ",".join(dict.fromkeys(each.code for each in open_))
    return Problem(
        f"{month} can't be closed yet. {said}",
        "Nothing was closed.",
        f"Settle this, or close it all the same with --despite {codes} and a note that says why.",
    )
