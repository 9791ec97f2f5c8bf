"""Checks of the rules: what each source of each dimension decided in a month, in money."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from chargeback.attribution.attribution import MERGED
from chargeback.attribution.rules import NAMES, AttributionRules
from chargeback.dimensions import UNALLOCATED
from chargeback.doctor.check import Check
from chargeback.notices import written

Rows = Iterable[Mapping[Any, Any]]
"""Of queries/reports/attribution.sql."""
Amounts = dict[str, dict[str, Decimal]]
"""By source, '' for none, and by currency."""


def check_sources(month: str, rows: Mapping[str, Rows], rules: AttributionRules) -> Iterator[Check]:
    """What each source decided; one that decides nothing is a warning.

    Args:
        month: the billing period that the rows are of.
        rows: of queries/reports/attribution.sql, by currency. A dimension without rows is passed
            over.
        rules: who pays.
    """
    found = _by_dimension(rows)
    for dimension in NAMES:
        if dimension in found:
            yield _decided(dimension, month, found[dimension], rules.labels(dimension))


def _by_dimension(rows: Mapping[str, Rows]) -> dict[str, Amounts]:
    found: dict[str, Amounts] = {}
    for currency, of_currency in rows.items():
        for row in of_currency:
            amounts = found.setdefault(row["dimension"], {}).setdefault(row["source"], {})
            amounts[currency] = amounts.get(currency, Decimal()) + row["cost"]
    return found


def _decided(dimension: str, month: str, amounts: Amounts, labels: list[str]) -> Check:
    name = f"Who pays: {dimension.replace('_', ' ')}"
    ordered = sorted(filter(None, amounts), key=lambda source: _place(source, labels))
    parts = [f"{source} {_in_words(amounts[source])}" for source in ordered]
    parts.append(
        f"{UNALLOCATED} {_in_words(amounts[''])}" if "" in amounts else f"nothing {UNALLOCATED}"
    )
    said = f"{month}: {', '.join(parts)}"
    used = {source.removesuffix(MERGED) for source in amounts}
    unused = [label for label in labels if label not in used]
    if not unused:
        return Check(name, "ok", said)
    return Check(
        name,
        "warning",
        f"{said}; nothing by {', '.join(unused)}",
        "A source that decides nothing names something that no line carries, or comes after one "
        "that always decides first.",
        f"Correct {dimension} in the section [attribution] of chargeback.toml, or remove it.",
    )


def _place(source: str, labels: list[str]) -> tuple[int, str]:
    """In the order of the rules."""
    label = source.removesuffix(MERGED)
    return (labels.index(label) if label in labels else len(labels), source)


def _in_words(by_currency: Mapping[str, Decimal]) -> str:
    return " and ".join(written(by_currency[name], name) for name in sorted(by_currency))
