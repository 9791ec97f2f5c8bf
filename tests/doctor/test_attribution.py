"""What each source decided, in money: nothing left out, nothing hidden."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chargeback.attribution.rules import AttributionRules
from chargeback.doctor.attribution import check_sources
from chargeback.doctor.check import Check

RULES = AttributionRules.model_validate(
    {"team": ["iamPrincipal/team", {"pattern": "(?P<value>.)"}, {"pattern": "-(?P<value>.)"}]}
)
SOURCES = ["iamPrincipal/team", "pattern on session", "pattern on session (2)"]


def row(source: str, cost: str, dimension: str = "team") -> dict[str, Any]:
    """One of queries/reports/attribution.sql."""
    return {"dimension": dimension, "source": source, "cost": Decimal(cost)}


def checks(**rows: list[dict[str, Any]]) -> dict[str, Check]:
    return {check.name: check for check in check_sources("2026-10", rows, RULES)}


def test_each_source_is_named_in_the_order_of_the_rules() -> None:
    rows = [row("", "5"), *(row(source, "1234.5") for source in reversed(SOURCES))]
    check = checks(USD=rows)["Who pays: team"]
    assert check.state == "ok"
    assert check.found == (
        "2026-10: iamPrincipal/team 1,234.50 USD, pattern on session 1,234.50 USD, "
        "pattern on session (2) 1,234.50 USD, (unallocated) 5.00 USD"
    )


def test_a_source_that_decides_nothing_is_a_warning() -> None:
    check = checks(USD=[row(SOURCES[0], "1"), row(SOURCES[1], "0")])["Who pays: team"]
    assert check.state == "warning"
    assert check.found.endswith("nothing (unallocated); nothing by pattern on session (2)")
    assert "Correct team in the section [attribution]" in check.todo


def test_currencies_are_never_added() -> None:
    check = checks(USD=[row(SOURCES[0], "1")], EUR=[row(SOURCES[0], "2"), row("", "3")])
    assert "iamPrincipal/team 2.00 EUR and 1.00 USD" in check["Who pays: team"].found
    assert "(unallocated) 3.00 EUR;" in check["Who pays: team"].found


def test_only_dimensions_with_rows_are_told_and_principals_have_no_rules() -> None:
    rows = [row("", "1"), row("role session", "1", "principal"), row("", "1", "cost_center")]
    assert list(checks(USD=rows)) == ["Who pays: team", "Who pays: cost center"]


@given(st.dictionaries(st.sampled_from([*SOURCES, "", "account"]), st.integers(-9, 9), min_size=1))
def test_whatever_decided_is_there(costs: dict[str, int]) -> None:
    rows = [row(source, str(cost)) for source, cost in costs.items()]
    check = checks(USD=rows)["Who pays: team"]
    for source, cost in costs.items():
        assert f"{source or '(unallocated)'} {cost:.2f} USD" in check.found
    assert (check.state == "ok") == (set(SOURCES) <= set(costs))


def test_what_is_merged_counts_for_its_source_and_stands_beside_it() -> None:
    rows = [row(SOURCES[0], "2"), row(f"{SOURCES[0]} (merged)", "1"), row(SOURCES[1], "4")]
    rows.append(row(f"{SOURCES[2]} (merged)", "3"))
    check = checks(USD=rows)["Who pays: team"]
    assert check.state == "ok"
    assert check.found.startswith(
        "2026-10: iamPrincipal/team 2.00 USD, iamPrincipal/team (merged) 1.00 USD, pattern"
    )
