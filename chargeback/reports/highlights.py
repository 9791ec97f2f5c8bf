"""Short answers made of reports: the largest few, what moved most, how much is attributed."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pandas as pd

from chargeback.dimensions import UNALLOCATED
from chargeback.money import ZERO, share_of
from chargeback.reports.answers import OTHERS, Reports, View
from chargeback.reports.movers import Change

LARGEST = 5
TOP_COLUMNS = ["unit", "name", "cost", "share", "change", "change_ratio"]
MOVER_COLUMNS = ["unit", "name", "change", "reason", "reason_amount"]
PARTS = ["volume", "mix", "price", "other_meters", "not_usage"]
_OF_A_PRINCIPAL = ["account", "principal_type"]
_SUMMED = ("cost", "change", "before")
ATTRIBUTED = ("tenant", "team", "principal")

Row = dict[Hashable, Any]


def largest_units(ranking: pd.DataFrame, count: int = LARGEST) -> list[str]:
    """The units of a ranking that cost most this month, `(unallocated)` left out."""
    units = ranking.loc[(ranking["unit"] != UNALLOCATED) & (ranking["cost"] != 0), "unit"]
    return list(units.head(count))


def others_named(ranking: pd.DataFrame, what: str, count: int = LARGEST) -> str:
    """How the units that are not among the largest are called together: '7 other tenants'."""
    shown = {*largest_units(ranking, count), UNALLOCATED}
    number = sum(unit not in shown for unit in ranking["unit"])
    return f"{number} other {what}" + ("" if number == 1 else "s")


def top_of(
    ranking: pd.DataFrame, compared: pd.DataFrame, what: str, count: int = LARGEST
) -> pd.DataFrame:
    """A ranking cut to its largest, one row for the others, and `(unallocated)`; adds up to it.

    Args:
        ranking: of the whole view.
        compared: of what is compared with the month before: the same, or the same days.
        what: what a unit is, as one word: 'tenant'.
        count: how many units to name.

    Returns:
        Columns unit (OTHERS for the others), name, cost, share (of the ranking's cost), change and
        change_ratio (both over what is compared; the ratio None where it says nothing).
    """
    others = {"unit": OTHERS, "name": others_named(ranking, what, count)}
    named = {*largest_units(ranking, count), UNALLOCATED}
    before: dict[str, Row] = {row["unit"]: row for row in compared.to_dict("records")}
    top: dict[str, Row] = {}
    for row in ranking.to_dict("records"):
        same = before.get(row["unit"], {})
        head = row if row["unit"] in named else others
        found = top.setdefault(
            head["unit"],
            {"unit": head["unit"], "name": head["name"], **dict.fromkeys(_SUMMED, ZERO)},
        )
        found["cost"] += row["cost"]
        found["change"] += same.get("change", ZERO)
        found["before"] += same.get("previous_cost", ZERO)
    all_costs = total(ranking)
    for found in top.values():
        found["share"] = share_of(found["cost"], all_costs)
        found["change_ratio"] = found["change"] / found["before"] if found["before"] > 0 else None
    return pd.DataFrame(list(top.values()), columns=TOP_COLUMNS)


def with_same_days(ranking: pd.DataFrame, same: pd.DataFrame) -> pd.DataFrame:
    """The ranking of an open month, its change_percent over the same days of the month before.

    Adds the columns same_days_cost, same_days_previous_cost and change_percent (a ratio; None where
    nothing or a credit was there before).
    """
    known: dict[str, Row] = {row["unit"]: row for row in same.to_dict("records")}
    found = [known.get(unit, {}) for unit in ranking["unit"]]
    now = [row.get("cost", ZERO) for row in found]
    before = [row.get("previous_cost", ZERO) for row in found]
    changes = [(a - b) / b if b > 0 else None for a, b in zip(now, before, strict=True)]
    return ranking.assign(
        same_days_cost=now,
        same_days_previous_cost=before,
        change_percent=pd.Series(changes, index=ranking.index, dtype=object),
    )


def for_file(ranking: pd.DataFrame, dimension: str) -> pd.DataFrame:
    """A ranking's columns that mean something for its units: only a principal has one account."""
    return ranking if dimension == "principal" else ranking.drop(columns=_OF_A_PRINCIPAL)


def movers(
    reports: Reports, view: View, dimension: str, ranking: pd.DataFrame, count: int = LARGEST
) -> pd.DataFrame:
    """The units whose spend changed most since the month before, and why.

    Columns: unit, name, change, reason (words), reason_amount (the part of the change that the
    words stand for, None where it is all of it), volume, mix, price, other_meters, not_usage; the
    last five add up to change.
    """
    changed = [row for row in ranking.to_dict("records") if row["change"]]
    changed.sort(key=lambda row: (-abs(row["change"]), row["unit"]))
    names = {row["unit"]: row["name"] for row in changed[:count]}
    changes = reports.movement(view, dimension, list(names))
    found = [
        {
            "unit": unit,
            "name": name,
            "change": changes[unit].total,
            "reason": changes[unit].reason,
            "reason_amount": _largest_part(changes[unit]),
            **changes[unit].parts,
        }
        for unit, name in names.items()
    ]
    return pd.DataFrame(found, columns=[*MOVER_COLUMNS, *PARTS])


def _largest_part(change: Change) -> Decimal | None:
    part = max(change.parts.values(), key=abs)
    return None if part == change.total else part


def same_days(view: View, days: int) -> View:
    """The view narrowed to the first days of each month, to compare like with like."""
    return replace(view, days=days)


def coverage(attribution: pd.DataFrame) -> pd.DataFrame:
    """How much is attributed, and by what; one row for tenants, teams and principals each.

    Columns: dimension, attributed, not_attributed, share (of cost; None when that is zero),
    sources (list of pairs of source and share, largest first).
    """
    decided: list[Row] = attribution.to_dict("records")
    return pd.DataFrame([_coverage(decided, dimension) for dimension in ATTRIBUTED])


def doubts(not_certain: pd.DataFrame) -> list[str]:
    """For each row of Reports.unrecognised, what it means for the figures."""
    return [" ".join(_doubts(row)) for row in not_certain.to_dict("records")]


def undated(trend: pd.DataFrame) -> Decimal:
    """What a daily trend holds that belongs to no day of the month."""
    return sum(trend.loc[trend["usage_date"].isna(), "cost"], ZERO)


def total(frame: pd.DataFrame, column: str = "cost") -> Decimal:
    """The sum of a column of money or tokens."""
    return sum(frame[column], ZERO)


def _doubts(row: Row) -> Iterator[str]:
    if not row["recognised"]:
        yield "Not known what is metered: its cost counts, tokens do not."
    if row["note"]:
        yield row["note"]
    if row["is_new_product"]:
        yield "The product code is new."


def _coverage(decided: list[Row], dimension: str) -> Row:
    rows = [row for row in decided if row["dimension"] == dimension]
    sources = [(row["source"], row["cost"]) for row in rows if row["source"]]
    attributed = sum((cost for _, cost in sources), ZERO)
    cost = sum((row["cost"] for row in rows), ZERO)
    return {
        "dimension": dimension,
        "attributed": attributed,
        "not_attributed": cost - attributed,
        "share": share_of(attributed, cost),
        "sources": [(source, share_of(part, cost)) for source, part in sources],
    }
