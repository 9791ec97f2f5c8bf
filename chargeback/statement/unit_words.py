"""What a unit's statement says in sentences, the same in every kind of file."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from chargeback.billing_period import previous_month
from chargeback.dimensions import Dimension
from chargeback.formats import (
    change_percent,
    cut,
    date_name,
    moment,
    money,
    month_name,
    short_month,
    signed_money,
    signed_percent,
)
from chargeback.notices import Notice
from chargeback.reports.period_status import INVOICED
from chargeback.statement.build import WITHOUT_EFFECT
from chargeback.statement.charge_parts import ChargePart
from chargeback.statement.documents import CloseNote
from chargeback.statement.unit_statement import UnitStatement

NOTICES_SHOWN = 2
NOTICE_LENGTH = 200
"""Characters of a notice: a statement is one page."""
DIRECT = "direct spend"
"""What a unit's own lines come to."""


def title(statement: UnitStatement) -> str:
    """'Tenant statement, October 2026'."""
    return f"{statement.dimension.label} statement, {month_name(statement.month)}"


def status(statement: UnitStatement) -> str:
    """'Invoiced' or 'Provisional'."""
    return statement.status.capitalize()


def sources(statement: UnitStatement) -> str:
    """As of when the figures are, and in which currency."""
    return f"Bill as of {moment(statement.data_as_of)}. Amounts in {statement.currency}."


def change(statement: UnitStatement) -> str:
    """What the charge compares with, and why it changed."""
    before = short_month(previous_month(statement.month))
    if statement.last is None:
        return f"There is no {before} to compare with."
    last = money(statement.last.total, statement.currency)
    if statement.change is None:
        return f"The month is still open; all of {before} came to {last}."
    if not statement.change:
        return f"The same as {before}: {last}."
    ratio = change_percent(statement.charged.total, statement.last.total)
    share = f" ({signed_percent(ratio)})" if ratio is not None else ""
    return (
        f"{signed_money(statement.change, statement.currency)}{share} against {before}'s {last}: "
        f"{', '.join(_causes(statement, statement.charged.own - statement.last.own))}."
    )


def _causes(statement: UnitStatement, own: Decimal) -> Iterator[str]:
    """The two halves of a change: what the unit's own lines did, and what allocation did."""
    moved = (statement.change or Decimal()) - own
    reason = f" ({statement.reason})" if statement.reason and own else ""
    yield f"{DIRECT} {signed_money(own, statement.currency)}{reason}"
    if moved:
        yield f"allocated costs {signed_money(moved, statement.currency)}"


def others(part: ChargePart, dimension: Dimension) -> str:
    """Whom a part came from or went to: 'from acme-corp', 'to 11 tenants'."""
    if not part.others:
        return ""
    way = "to" if part.gives else "from"
    count = len(part.others)
    return f"{way} {part.others[0] if count == 1 else f'{count:,} {dimension.plural}'}"


def history(statement: UnitStatement) -> str:
    """The charges of thirteen months, for those who can't see the bars."""
    return "; ".join(
        f"{month_name(month)} {money(charge, statement.currency)}"
        for month, charge in statement.history
    )


def rules_of_months(statement: UnitStatement) -> str:
    """Under which rules the charges of its months are."""
    closed = "as closed, else " if statement.document else ""
    return f"{closed}under the present rules"


def still_open(statement: UnitStatement) -> list[str]:
    """What keeps the figures from being final, and what else is odd about the month."""
    telling = [each for each in statement.notices if _is_telling(each)]
    said = []
    if statement.closed:
        said += [cut(each, NOTICE_LENGTH) for each in _despite(statement.closed)]
        telling = [each for each in telling if not each.blocks_close]
    elif statement.status != INVOICED:
        said.append(_provisional(statement, telling))
    said += [cut(each.words, NOTICE_LENGTH) for each in telling[:NOTICES_SHOWN]]
    if len(telling) > NOTICES_SHOWN:
        said.append(f"{len(telling) - NOTICES_SHOWN} more notices stand in the dashboard.")
    return said


def _despite(closed: CloseNote) -> Iterator[str]:
    """What stood in the way of the close, and why it was closed all the same."""
    for each in closed.despite:
        yield f"Closed despite: {each.words}"
    if closed.despite:
        yield f"{closed.who}: {closed.note}"


def corrections(statement: UnitStatement) -> Iterator[tuple[str, Decimal]]:
    """What is added to, or taken off, earlier months: in words, and in cents."""
    for each in statement.document.corrections if statement.document else ():
        if each.amount:
            of = f" ({each.original_document_id})" if each.original_document_id else ""
            yield f"Adjustment of {month_name(each.billing_period)}{of}", each.amount


def posting(statement: UnitStatement) -> str:
    """Which document it is, who closed the month and when; '' while it is open."""
    document, closed = statement.document, statement.closed
    if closed is None or document is None or not document.document_id:
        return ""
    replaces = f" It replaces {document.replaces}." if document.replaces else ""
    return (
        f"Document {document.document_id}. Closed by {closed.who} on "
        f"{date_name(closed.when.date())}.{replaces}"
    )


def _provisional(statement: UnitStatement, notices: list[Notice]) -> str:
    if not statement.is_over:
        why = "the month is not over"
    elif any(each.blocks_close for each in notices):
        why = "the bill of the month is still being clarified"
    else:
        why = "not all of the month is on an invoice"
    return f"Provisional: {why}. Do not post this charge yet."


def _is_telling(notice: Notice) -> bool:
    """Whether it can change the charge: rules and set-up are for those who keep them."""
    return notice.blocks_close or (notice.severity == "warning" and notice.code != WITHOUT_EFFECT)


def asking(statement: UnitStatement) -> str:
    """Whom to ask about the charge, and by when."""
    whom = statement.contact or "whoever sent you this statement"
    until = statement.dispute_until
    if until is None:
        when = f"within {statement.dispute_days} days of the month being invoiced"
    else:
        when = f"by {date_name(until)}"
    return f"Questions or objections: {whom}, {when}."
