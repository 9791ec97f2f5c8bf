"""What tags and owner lists say: spelled twice, not used, or otherwise than what decided."""

from __future__ import annotations

import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypedDict

import pandas as pd

from chargeback.attribution.identity import identity_of
from chargeback.attribution.rules import AttributionRules
from chargeback.dimensions import UNALLOCATED
from chargeback.money import ZERO
from chargeback.reports.answers import Answers
from chargeback.reports.frames import frame_of
from chargeback.reports.view import View

JOINTS = str.maketrans("", "", " -_\N{NO-BREAK SPACE}")
VALUES_SHOWN = 3
NO_CALLER = {"usage_account_id": "", "iam_principal": ""}


class Spelling(TypedDict):
    """A value that looks like another one spelled otherwise; amounts in the view's currency."""

    value: str
    kept: str
    """The spelling with the largest cost."""
    cost: Decimal
    kept_cost: Decimal


class UnusedKey(TypedDict):
    """A tag key of the bill that no rule asks for."""

    key: str
    cost: Decimal
    """Of the lines that carry it with a value."""
    values: int
    """How many different ones."""
    examples: str


class Disagreement(TypedDict):
    """A principal of which a tag and an owner list, or two tags, say different things."""

    principal: str
    name: str
    account: str
    unit: str
    source: str
    """What decided."""
    other_unit: str
    other_source: str
    cost: Decimal


def spellings(answers: Answers, view: View, dimension: str) -> pd.DataFrame:
    """The Spellings among a dimension's units, those of the largest cost first."""
    alike: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in answers.ask("units", view.grain, view, dimension=dimension).to_pylist():
        if row["unit"] != UNALLOCATED:
            alike[folded(row["unit"])].append(row)
    rows = [
        {"value": row["unit"], "kept": kept["unit"], "cost": row["cost"], "kept_cost": kept["cost"]}
        for kept, *others in alike.values()
        for row in others
    ]
    return frame_of(Spelling, sorted(rows, key=lambda row: (-row["cost"], row["value"])))


def folded(value: str) -> str:
    """What is the same for all spellings of a value: letters and digits, whatever their case."""
    return unicodedata.normalize("NFKC", value).casefold().translate(JOINTS)


def unused_keys(answers: Answers, view: View, rules: AttributionRules) -> pd.DataFrame:
    """The UnusedKeys of the bill, those on the most dollars first."""
    used = {spelled for keys in rules.tag_keys().values() for key in keys for spelled in _as(key)}
    seen: dict[str, _Seen] = defaultdict(_Seen)
    for row in answers.ask("tag_sets", "daily", view).to_pylist():
        for key, value in identity_of({**NO_CALLER, **row}).tags.items():
            if value.strip() and key.casefold() not in used:
                seen[key].add(value, row["cost"])
    rows = [{"key": key, **of.row()} for key, of in seen.items()]
    return frame_of(UnusedKey, sorted(rows, key=lambda row: (-row["cost"], row["key"])))


def disagreements(answers: Answers, view: View, dimension: str) -> pd.DataFrame:
    """The Disagreements about a dimension, largest first."""
    rows = answers.ask("disagreements", view.grain, view, dimension=dimension).to_pylist()
    return frame_of(Disagreement, [each for row in rows for each in _opinions(row, dimension)])


def _opinions(row: Mapping[str, Any], dimension: str) -> Iterator[dict[str, Any]]:
    for source, unit in json.loads(row["other_opinions"])[dimension].items():
        yield {**row, "other_unit": unit, "other_source": source}


def _as(key: str) -> tuple[str, ...]:
    """How the bill may spell a key, without case; CUR prefixes those of users' resources."""
    prefix, _, rest = key.casefold().partition("/")
    if prefix == "resourcetags":
        return key.casefold(), f"{prefix}/user_{rest}", f"{prefix}/user:{rest}"
    return (key.casefold(),)


@dataclass
class _Seen:
    """What a key is seen with."""

    cost: Decimal = ZERO
    costs: dict[str, Decimal] = field(default_factory=dict)

    def add(self, value: str, cost: Decimal) -> None:
        self.cost += cost
        self.costs[value] = self.costs.get(value, ZERO) + cost

    def row(self) -> dict[str, Any]:
        largest = sorted(self.costs, key=lambda value: (-self.costs[value], value))
        shown = ", ".join(largest[:VALUES_SHOWN])
        return {"cost": self.cost, "values": len(largest), "examples": shown}
