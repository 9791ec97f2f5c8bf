"""The section [allocation]: which lines follow the usage they belong to, and what rules move.

In chargeback.toml:

    [allocation]
    tax = "usage"

    [[allocation.rules]]
    id = "gateway"
    name = "Untagged gateway traffic"
    for = ["tenant"]
    take = { principal = "arn:aws:iam::*:role/llm-gateway" }
    by = "direct cost"
    to = ["acme-corp", "globex"]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import combinations
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from chargeback.dimensions import CHARGED, UNALLOCATED

Way = Literal["none", "usage"]
"""A line stays with the unit that it names, or goes to the units of the usage it belongs to."""
FOLLOWING = ("discount", "tax", "credit", "refund", "other")
"""The categories of lines that may follow usage, in the order of the statement's columns."""
FIRST, LAST = "0000-00", "9999-99"


def _month(text: str) -> str:
    if text and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        raise ValueError("a billing period is written 2026-10")
    return text


def _unit(text: str) -> str:
    if not text.strip() or text == UNALLOCATED:
        raise ValueError(f"a receiver is named; {UNALLOCATED} is nobody")
    return text


Month = Annotated[str, AfterValidator(_month)]
Receiver = Annotated[str, AfterValidator(_unit)]
Weight = Annotated[Decimal, Field(gt=0)]


class Take(BaseModel):
    """Which lines a rule takes; all conditions hold, `*` stands for any text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: str = UNALLOCATED
    """The unit that a line itself names."""
    principal: str | None = None
    """The ARN as billed, or its role's."""
    account: str | None = None
    product: str | None = None
    usage_type: str | None = None
    line_type: str | None = None
    model: str | None = None
    team: str | None = None
    tenant: str | None = None
    project: str | None = None
    cost_center: str | None = None

    def conditions(self) -> dict[str, str]:
        """The conditions beside the unit: each with its pattern."""
        return self.model_dump(exclude_none=True, exclude={"unit"})


class AllocationRule(BaseModel):
    """Moves what it takes to other units."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    name: str = ""
    for_: tuple[str, ...] = Field(default=(), alias="for")
    """The statements that it applies to; none for all."""
    take: Take = Take()
    by: Literal["even", "direct cost", "tokens", "fixed"]
    to: tuple[Receiver, ...] = ()
    """Who receives; none for all units with direct cost."""
    shares: dict[Receiver, Weight] = {}
    from_: Month = Field(default="", alias="from")
    until: Month = ""
    """Billing periods, half-open."""

    def __hash__(self) -> int:  # not pydantic's own, which cannot take `shares`
        return hash(self.model_dump_json())

    @field_validator("id")
    @classmethod
    def _is_free(cls, text: str) -> str:
        if text in FOLLOWING:
            raise ValueError(f"{text} is the id of what follows usage; choose another")
        return text

    @field_validator("for_")
    @classmethod
    def _are_statements(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [name for name in names if name not in CHARGED]:
            raise ValueError(f"{', '.join(unknown)}: a statement is by {', '.join(CHARGED)}")
        return names

    @model_validator(mode="after")
    def _receivers_fit(self) -> AllocationRule:
        if (self.to or self.shares) and len(set(self.for_)) != 1:
            raise ValueError("`to` and `shares` name units of one kind: `for` has to name it alone")
        if (self.by == "fixed") != bool(self.shares):
            raise ValueError('`shares` belongs to by = "fixed", which needs it')
        if self.shares and self.to and set(self.to) != set(self.shares):
            raise ValueError("`to` and `shares` name different units: leave out `to`")
        if len(set(self.to)) != len(self.to):
            raise ValueError("`to` names a unit twice")
        if self.from_ and self.until and self.from_ >= self.until:
            raise ValueError("`until` is after `from`: it is the first billing period without it")
        return self

    @property
    def title(self) -> str:
        """Its name for people."""
        return self.name or self.id

    def applies(self, by: str, month: str) -> bool:
        """Whether it has a say in a statement of a month."""
        start, end = self.period
        return (not self.for_ or by in self.for_) and start <= month < end

    @property
    def period(self) -> tuple[str, str]:
        """The billing periods in which it holds, half-open."""
        return self.from_ or FIRST, self.until or LAST

    def overlaps(self, other: AllocationRule) -> bool:
        """Whether there is a billing period in which both hold."""
        (start, end), (others_start, others_end) = self.period, other.period
        return start < others_end and others_start < end


class AllocationSettings(BaseModel):
    """How what tenants share is charged; with nothing set, every line stays where it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    discount: Way = "none"
    tax: Way = "none"
    credit: Way = "none"
    refund: Way = "none"
    other: Way = "none"
    rules: tuple[AllocationRule, ...] = ()

    @field_validator("rules")
    @classmethod
    def _ids_are_one_rules(cls, rules: tuple[AllocationRule, ...]) -> tuple[AllocationRule, ...]:
        if twice := sorted({a.id for a, b in combinations(rules, 2) if _clash(a, b)}):
            raise ValueError(f"two rules with the id {', '.join(twice)} hold in one period")
        return rules

    @property
    def following(self) -> tuple[str, ...]:
        """The categories of lines that follow usage."""
        return tuple(name for name in FOLLOWING if getattr(self, name) == "usage")

    @property
    def is_set(self) -> bool:
        """Whether anything can move."""
        return bool(self.following or self.rules)

    def rules_for(self, by: str, month: str) -> Sequence[AllocationRule]:
        """The rules that have a say in a statement of a month, in order."""
        return [rule for rule in self.rules if rule.applies(by, month)]

    def describe(self) -> dict[str, Any]:
        """The settings as plain values, for manifests."""
        if not self.is_set:
            return {"method": "direct", "rules": []}
        return {"method": "allocation", **dict(self._plain())}

    def _plain(self) -> Iterator[tuple[str, Any]]:
        yield from ((name, getattr(self, name)) for name in FOLLOWING)
        yield (
            "rules",
            [
                rule.model_dump(mode="json", by_alias=True, exclude_defaults=True)
                for rule in self.rules
            ],
        )


def _clash(one: AllocationRule, other: AllocationRule) -> bool:
    return one.id == other.id and one.overlaps(other)
