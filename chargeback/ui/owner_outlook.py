"""What an owner list leads to, before it is saved: what is wrong in which line, and what moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import pandas as pd
import streamlit as st

from chargeback.attribution.attribution import Attribution
from chargeback.attribution.owner_draft import Draft
from chargeback.attribution.owner_list import OwnerList
from chargeback.attribution.owner_preview import Moved, Unit
from chargeback.attribution.owner_review import Contradiction, Review, review
from chargeback.attribution.owners import OwnerListError
from chargeback.attribution.principal import NO_PRINCIPAL
from chargeback.dimensions import BY_NAME, UNALLOCATED
from chargeback.enrichment.owner_facts import OwnerFacts
from chargeback.errors import SourceProblem
from chargeback.files.lists import decoded, filled_lines
from chargeback.formats import count, month_name, short_month
from chargeback.money import exact_sum
from chargeback.ui.markdown import plain
from chargeback.ui.problems import show_problem
from chargeback.ui.table import Column
from chargeback.ui.tables import plain_table
from chargeback.workspace import Workspace

PREVIEWED = 3
"""Months, the newest: what is still open, and what was posted last."""
TOLD = 20
"""Of the lines that are wrong, those that are told one by one."""
IDLE = {
    "no owner": "Names no owner.",
    "no caller": "Matches nobody on the stored bills.",
    "other days": "Matches callers, but on none of its days.",
}


def facts_of(workspace: Workspace) -> OwnerFacts | None:
    """What the stored months say; None where asking costs. Kept while the store is the same."""
    found = workspace.owner_facts()
    if found is None:
        return None
    return _kept(_keys(found), workspace.source.source_id, found)


@st.cache_resource(max_entries=2, show_spinner=False)
def _kept(keys: tuple[str, ...], source_id: str, _facts: OwnerFacts) -> OwnerFacts:
    return _facts


def review_of(draft: Draft, asked: Sequence[str], facts: OwnerFacts | None) -> Review:
    """What the draft does to those who are on the stored bills, where these can be read."""
    if facts is None or draft.faults:
        return Review((), ())
    try:
        return _reviewed(_keys(facts), draft.sha256, tuple(asked), draft, facts)
    except SourceProblem as problem:
        show_problem(problem, stale=True)
        return Review((), ())


@st.cache_resource(max_entries=8, show_spinner="Looking at who is on the bill…")
def _reviewed(
    keys: tuple[str, ...], sha256: str, asked: tuple[str, ...], _draft: Draft, _facts: OwnerFacts
) -> Review:
    return review(OwnerList(_draft.read.name, _draft.rows), asked, _facts.callers)


def _keys(facts: OwnerFacts) -> tuple[str, ...]:
    return tuple(period.key for period in facts.periods)


def show_findings(draft: Draft, found: Review) -> None:
    """What has to be corrected, and what should be looked at, each beside its line."""
    wrong = [(fault.line, fault.what) for fault in draft.faults]
    wrong += [(each.lines[1], _contradiction(each)) for each in found.contradictions]
    idle = [(each.line, IDLE[each.why]) for each in found.idle]
    if wrong:
        _show_wrong(draft, sorted(wrong))
    if idle:
        about = f"{_lines(len(idle))} without effect"
        with st.expander(about, expanded=bool(draft.changes), icon=":material/info:"):
            _show_idle(draft, idle)


def _show_wrong(draft: Draft, wrong: Sequence[tuple[int, str]]) -> None:
    """As text, which is long and wraps; a new row is known by what it says."""
    text = _text_by_line(draft)
    said = [f"Line {line}, {text.get(line, '')}: {what}" for line, what in wrong[:TOLD]]
    if len(wrong) > TOLD:
        said.append(f"And {count(len(wrong) - TOLD, 'more line')}")
    head = f"**{_lines(len(wrong))} to correct before you can save**"
    st.error(
        "\n".join([head, "", *(f"- {plain(each)}." for each in said)]), icon=":material/error:"
    )


def _show_idle(draft: Draft, idle: Sequence[tuple[int, str]]) -> None:
    text = _text_by_line(draft)
    frame = pd.DataFrame(
        {
            "line": [line for line, _ in idle],
            "why": [why for _, why in idle],
            "text": [text.get(line, "") for line, _ in idle],
        }
    )
    columns = {
        "line": Column("Line", "number"),
        "why": Column("Why"),
        "text": Column("The line in the file"),
    }
    what = "Lines without effect"
    plain_table(frame, columns=columns, currency="", key=what, what=what)


def _text_by_line(draft: Draft) -> dict[int, str]:
    return dict(filled_lines(decoded(draft.content)))


def _lines(number: int) -> str:
    return count(number, "line")


def _contradiction(each: Contradiction) -> str:
    first, _ = each.lines
    one, two = each.owners
    noun = BY_NAME[each.dimension].noun
    others = f" and {count(each.callers - 1, 'more caller')}" if each.callers > 1 else ""
    return (
        f"says {noun} {two}, line {first} says {one}, and neither is more specific: "
        f"{each.caller.iam_principal or NO_PRINCIPAL} in account "
        f"{each.caller.usage_account_id}{others}"
    )


def show_preview(workspace: Workspace, path: Path, draft: Draft, facts: OwnerFacts | None) -> None:
    """What the draft moves in the newest months, unit by unit."""
    if facts is None:
        st.caption(
            "No preview: the spend store is in Athena, where each preview would cost money. "
            "Figures change when the list is saved."
        )
        return
    if not facts.months:
        st.caption("No preview: no month has been read yet.")
        return
    try:
        moved = _previewed(facts, path, draft, workspace.rules.cache_key)
    except OwnerListError as why:
        st.caption(plain(f"No preview: the list in force can’t be used. {why.what}"))
        return
    _show(moved)


@st.cache_resource(max_entries=8, show_spinner="Working out what moves…")
def _known(
    keys: tuple[str, ...], _facts: OwnerFacts, _now: Attribution, _then: Attribution
) -> dict[str, Mapping[Unit, Moved]]:
    return _facts.preview(_now, _then, PREVIEWED)


def _previewed(
    facts: OwnerFacts, path: Path, draft: Draft, rules_key: str
) -> dict[str, Mapping[Unit, Moved]]:
    rules = facts.rules.attribution
    now = Attribution(rules, {path: OwnerList(path.name, draft.read.rows)})
    then = Attribution(rules, {path: OwnerList(path.name, draft.rows)})
    keys = (*_keys(facts), rules_key, str(path), draft.read.sha256, draft.sha256)
    return _known(keys, facts, now, then)


def _show(moved: Mapping[str, Mapping[Unit, Moved]]) -> None:
    months = [*moved][::-1]
    units = {unit for each in moved.values() for unit, cost in each.items() if cost.differs}
    named = month_name(months[-1])
    span = f"{month_name(months[0])} to {named}" if len(months) > 1 else named
    if not units:
        st.caption(f"Nothing moves on the bills of {span}.")
        return
    for currency in sorted({unit.currency for unit in units}):
        st.markdown(f"**What this moves, {span}, {plain(currency)}**")
        frame = _frame([unit for unit in units if unit.currency == currency], moved, months)
        columns = {
            "dimension": Column("By"),
            "unit": Column("Unit"),
            "now": Column("Now", "money"),
            "then": Column("Then", "money"),
            "difference": Column("Difference", "money_change"),
            **{month: Column(short_month(month), "money_change") for month in months},
        }
        plain_table(
            frame, columns=columns, currency=currency, key=f"moves {currency}", what="What moves"
        )


def _frame(
    units: Sequence[Unit], moved: Mapping[str, Mapping[Unit, Moved]], months: Sequence[str]
) -> pd.DataFrame:
    rows = [_row(unit, [moved[month].get(unit, Moved()) for month in months]) for unit in units]
    frame = pd.DataFrame([[*row[0], *row[1]] for row in _in_order(rows)], dtype=object)
    frame.columns = pd.Index(["dimension", "unit", "now", "then", "difference", *months])
    return frame


_Row = tuple[tuple[str, str], list[Decimal]]


def _row(unit: Unit, costs: Sequence[Moved]) -> _Row:
    """A unit with what it comes to in all months now, then and more, and more in each."""
    totals = [exact_sum(each.now for each in costs), exact_sum(each.then for each in costs)]
    more = [each.difference for each in costs]
    return (unit.dimension, unit.name), [*totals, exact_sum(more), *more]


def _in_order(rows: Sequence[_Row]) -> list[_Row]:
    """By dimension as everywhere, the largest difference first, what nobody pays last."""
    known = list(BY_NAME)
    ordered = sorted(
        rows,
        key=lambda row: (
            known.index(row[0][0]),
            row[0][1] == UNALLOCATED,
            -abs(row[1][2]),
            row[0][1],
        ),
    )
    return [((BY_NAME[name].label, unit), costs) for (name, unit), costs in ordered]
