"""Identities are read in batches, and those that nothing tells apart decided once."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pyarrow as pa
import pytest

from chargeback.attribution.attribution import attribute
from chargeback.attribution.identity import identity_of
from chargeback.attribution.rule_notices import IDENTITY_KEYS
from chargeback.attribution.rules import NAMES, AttributionRules
from chargeback.enrichment.classify import attributed_identities

ACCOUNT = "111122223333"
ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/gateway"
NOBODY = {"tags": "{}", "resource_tags": "{}", "cost_category": "{}", "resource_id": ""}
OWNERS = f"""iam_principal,usage_account_id,team,effective_from
{ROLE}/s-3,,three,2026-10-10
arn:aws:sts::*:assumed-role/gateway/s-4,,four,
,444455556666,another account,
"""


@pytest.fixture
def rules(tmp_path: Path) -> AttributionRules:
    (tmp_path / "owners.csv").write_text(OWNERS, "utf-8")
    return AttributionRules(
        tenant=["iamPrincipal/tenant", {"pattern": "^t-(?P<value>.+)$", "on": "session"}],
        team=[{"owners": tmp_path / "owners.csv"}],
        project=["resourceTags/project", {"pattern": "project/(?P<value>.+)$", "on": "resource"}],
        cost_center=["costCategory/unit", {"account": {ACCOUNT: "CC-1"}}],
    )


def rows() -> list[dict[str, str]]:
    """Sessions of one role, each with everything that a source may ask about it."""
    sessions = [f"{ROLE}/{name}" for name in ("s-1", "s-2", "s-3", "s-4", "t-acme", "t-globex")]
    about = [
        {},
        {"tags": json.dumps({"iamPrincipal/tenant": "tagged"})},
        {"resource_tags": json.dumps({"project": "atlas"})},
        {"cost_category": json.dumps({"unit": "CC-9"})},
        {"resource_id": "arn:aws:bedrock:project/zeus"},
    ]
    return [
        {"usage_account_id": account, "iam_principal": session, **NOBODY, **more}
        for account, session, more in product((ACCOUNT, "444455556666"), sessions, about)
    ]


def batches(size: int) -> list[pa.RecordBatch]:
    schema = pa.schema([(name, pa.string()) for name in IDENTITY_KEYS])
    found: list[pa.RecordBatch] = pa.Table.from_pylist(rows(), schema).to_batches(size)
    return found


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_each_identity_is_decided_as_if_alone(rules: AttributionRules, size: int) -> None:
    found = attributed_identities(batches(size), rules).to_pylist()
    alone = [
        {**row, "valid_from": start, "valid_to": end}
        | {name: decided[name].value for name in NAMES}
        | {f"{name}_source": decided[name].source for name in NAMES}
        for row in rows()
        for start, end, decided in attribute(rules, identity_of(row))
    ]
    assert len(alone) > len(rows())  # an owner begins within a month
    assert [{name: row[name] for name in alone[0]} for row in found] == alone


@pytest.mark.parametrize("size", [1, 1000])
def test_a_gateway_is_found_across_batches(rules: AttributionRules, size: int) -> None:
    found = attributed_identities(batches(size), rules)
    assert found["is_gateway"].unique().to_pylist() == [True]
    assert set(found["session_name"].to_pylist()) >= {"s-1", "t-globex"}
    few = batches(1)[:4]
    assert attributed_identities(few, rules)["is_gateway"].unique().to_pylist() == [False]


def test_a_month_without_lines_has_no_identity(rules: AttributionRules) -> None:
    assert attributed_identities([], rules).num_rows == 0
