"""What the rules of a month did not do, or did otherwise than the order of a file suggests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from chargeback.attribution.attribution import MERGED, Attribution
from chargeback.attribution.identity import identity_of
from chargeback.attribution.owner_list import Choice
from chargeback.attribution.owners import OwnerRow
from chargeback.attribution.rules import NAMES, AttributionRules
from chargeback.notices import Notice, notice, written

IDENTITY_KEYS = (
    "usage_account_id",
    "iam_principal",
    "tags",
    "resource_tags",
    "cost_category",
    "resource_id",
)
SHOWN = 5
"""Of the changes that the more specific row makes, the largest in words."""
ALONE = 20
"""Of the rows of a list that match nothing, those that have a notice of their own."""


@dataclass
class _Sum:
    cost: Decimal = Decimal()
    lines: int = 0

    def add(self, cost: Decimal, lines: int) -> None:
        self.cost += cost
        self.lines += lines


class _Change(NamedTuple):
    """Two rows of a list that name different owners: the first, and the one that counts."""

    first: int
    first_owner: str
    line: int
    owner: str

    @property
    def words(self) -> str:
        return f"line {self.line} ({self.owner}) for line {self.first} ({self.first_owner})"


@dataclass
class _RowUse:
    """What the lines of a month had to do with the rules."""

    sources: set[tuple[str, str]] = field(default_factory=set)
    """Dimension and label of each source that decided something."""
    rows: dict[Path, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Of each list the places of rows that matched."""
    changes: dict[tuple[str, str, str], dict[_Change, _Sum]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(_Sum))
    )
    """By file, dimension and currency."""


def rule_notices(
    rules: AttributionRules, spend: pa.Table, billing_period: str
) -> tuple[Notice, ...]:
    """What a reader of the month must know about its rules.

    Args:
        rules: who pays.
        spend: the month's lines, summed or not. Columns: usage_account_id, iam_principal, tags,
            resource_tags, cost_category, currency, cost, lines; resource_id where a rule reads
            it; usage_date where a row of an owner list begins or ends. A line without a date
            counts as of the month's first day.
        billing_period: YYYY-MM.

    Raises:
        OwnerListError: an owner list can't be used.
    """
    attribution, first_day = Attribution(rules), date.fromisoformat(f"{billing_period}-01")
    seen = _RowUse()
    for row in _alike(summed(spend, attribution.cuts(), first_day), attribution):
        _see(row, attribution, seen)
    return (
        *_unused_rows(attribution, seen, first_day),
        *_changes(seen),
        *_unused_sources(rules, seen),
    )


def summed(spend: pa.Table, cuts: list[date], first_day: date) -> Iterator[dict[str, Any]]:
    """The lines by identity, currency, and what is the same between dates of owner lists."""
    keys = [name for name in (*IDENTITY_KEYS, "currency") if name in spend.column_names]
    days = (
        spend["usage_date"].cast(pa.date32()).fill_null(first_day)
        if "usage_date" in spend.column_names
        else pa.array([first_day] * len(spend), pa.date32())
    )
    table = spend.select([*keys, "cost", "lines"]).append_column("on", _since(days, cuts))
    sums = table.group_by([*keys, "on"]).aggregate([("cost", "sum"), ("lines", "sum")])
    names = [name.removesuffix("_sum") for name in sums.column_names]
    for batch in sums.rename_columns(names).to_batches(max_chunksize=10_000):
        yield from batch.to_pylist()


def _since(days: Any, cuts: list[date]) -> Any:  # noqa: ANN401  (pyarrow has no types)
    """Each day as the last cut that is not after it."""
    import pyarrow.compute as pc  # noqa: PLC0415  (not all need it, and it is slow to import)

    known = {day: _last(cuts, day) for day in pc.unique(days).to_pylist()}
    where = pc.index_in(days, pa.array(list(known), pa.date32()))
    return pc.take(pa.array(list(known.values()), pa.date32()), where)


def _last(cuts: Iterable[date], day: date) -> date:
    return max(cut for cut in cuts if cut <= day)


def _alike(rows: Iterable[dict[str, Any]], attribution: Attribution) -> Iterator[dict[str, Any]]:
    """One row in place of all of whom the rules say the same, with what they come to together."""
    found: dict[Hashable, tuple[dict[str, Any], _Sum]] = {}
    for row in rows:
        key = (attribution.question(row), row["currency"], row["on"])
        _, of = found.setdefault(key, (row, _Sum()))
        of.add(row["cost"] or Decimal(), row["lines"] or 0)
    return ({**row, "cost": of.cost, "lines": of.lines} for row, of in found.values())


def _see(row: Mapping[str, Any], attribution: Attribution, seen: _RowUse) -> None:
    caller, on = attribution.caller(identity_of(row)), row["on"]
    for path, matches in caller.matches.items():
        rows = attribution.lists[path].rows
        seen.rows[path].update(each.row for each in matches if rows[each.row].is_in_force(on))
    for name, decided in attribution.on(caller, on).items():
        seen.sources.add((name, decided.source.removesuffix(MERGED)))
        if decided.owner and decided.owner.differs(name):
            changes = seen.changes[decided.owner.file, name, row["currency"]]
            changes[_change(decided.owner, name)].add(row["cost"], row["lines"])


def _change(owner: Choice, name: str) -> _Change:
    first, row = owner.first, owner.row
    return _Change(first.line, first.values[name], row.line, row.values[name])


def _unused_rows(attribution: Attribution, seen: _RowUse, first_day: date) -> Iterator[Notice]:
    """Rows in force this month that speak of no line of it."""
    for path, owners in attribution.lists.items():
        unused = [
            str(row.line)
            for number, row in enumerate(owners.rows)
            if number not in seen.rows[path] and _in_force(row, first_day)
        ]
        rest = [", ".join(unused[ALONE:])] if unused[ALONE:] else []
        for line in unused[:ALONE] + rest:
            yield notice("owner-row-unused", file=owners.name, line=line)


def _in_force(row: OwnerRow, first_day: date) -> bool:
    next_month = (first_day + timedelta(days=31)).replace(day=1)
    return row.effective_from < next_month and first_day < row.effective_to


def _changes(seen: _RowUse) -> Iterator[Notice]:
    for (file, dimension, currency), changes in sorted(seen.changes.items()):
        yield notice(
            "owner-row-order",
            lines=sum(each.lines for each in changes.values()),
            amount=sum((each.cost for each in changes.values()), Decimal()),
            currency=currency,
            file=file,
            dimension=dimension,
            change=_in_words(changes, currency),
        )


def _in_words(changes: Mapping[_Change, _Sum], currency: str) -> str:
    """The largest changes; the others are counted."""
    ordered = sorted(changes.items(), key=lambda each: (-abs(each[1].cost), each[0]))
    words = [f"{change.words} {written(of.cost, currency)}" for change, of in ordered[:SHOWN]]
    more = len(ordered) - SHOWN
    return "; ".join([*words, f"and {more:,} more"] if more > 0 else words)


def _unused_sources(rules: AttributionRules, seen: _RowUse) -> Iterator[Notice]:
    """Of the dimensions that somebody set; a default that finds nothing is nobody's mistake."""
    for dimension in NAMES:
        if dimension in rules.model_fields_set:
            for label in rules.labels(dimension):
                if (dimension, label) not in seen.sources:
                    yield notice("rule-unused", source=label, dimension=dimension)
