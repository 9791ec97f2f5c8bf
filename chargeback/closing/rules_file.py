"""The rules under which a month was closed, as a file that brings its owner lists along."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from chargeback.attribution.rules import AttributionRules
from chargeback.enrichment.rules import Rules
from chargeback.sources.bill_settings import BillSettings, DefaultBasis
from chargeback.statement.allocation_settings import AllocationSettings

RULES = "rules.json"


class _RulesFile(BaseModel):
    """As it is written; owner lists are named by where they lie beside it."""

    model_config = ConfigDict(extra="forbid")

    attribution: dict[str, Any]
    cost_basis: DefaultBasis
    bill: BillSettings
    allocation: AllocationSettings


def owner_files(rules: Rules) -> Mapping[str, Path]:
    """The owner lists by the names that they have beside the file; one may not be there."""
    lists = rules.attribution.owner_lists()
    return {f"owners/{number}/{path.name}": path for number, path in enumerate(lists, start=1)}


def freeze_rules(rules: Rules, allocation: AllocationSettings) -> bytes:
    """The rules as JSON."""
    names = {str(path): name for name, path in owner_files(rules).items()}
    said = rules.attribution.model_dump(mode="json", exclude_unset=True)
    file = _RulesFile(
        attribution=_renamed(said, names.__getitem__),
        cost_basis=rules.cost_basis,
        bill=rules.bill,
        allocation=allocation,
    )
    return file.model_dump_json(indent=2, by_alias=True).encode() + b"\n"


def thaw_rules(content: bytes, folder: Path) -> tuple[Rules, AllocationSettings]:
    """The rules that were frozen, with owner lists that lie in `folder`."""
    file = _RulesFile.model_validate_json(content)
    said = _renamed(file.attribution, lambda name: str(folder / name))
    rules = Rules(AttributionRules(**said), file.cost_basis, file.bill)
    return rules, file.allocation


def _renamed(attribution: Mapping[str, Any], name: Callable[[str], str]) -> dict[str, Any]:
    """The same sources, with owner lists by another name."""
    return {
        key: [_source(each, name) for each in sources] if key != "merge" else sources
        for key, sources in attribution.items()
    }


def _source(source: object, name: Callable[[str], str]) -> object:
    if isinstance(source, dict) and "owners" in source:
        return {**source, "owners": name(source["owners"])}
    return source
