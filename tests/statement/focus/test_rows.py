"""What each kind of line is in FOCUS's words."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chargeback.statement.build import DIRECT
from chargeback.statement.focus.rows import as_json, unit_of
from tests.bills import line
from tests.statement.focus.dataset import EVERY_KIND, made, rows_of

TAX = line("1", "Tax", line_item_usage_type="")


@pytest.fixture(scope="module")
def by_type(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The row of each line item type."""
    _, files = made(tmp_path_factory.mktemp("rows"), "1.3", DIRECT)
    return {row["x_LineItemType"]: row for row in rows_of(files)}


@pytest.mark.parametrize(
    ("type_", "category", "frequency"),
    [
        ("Usage", "Usage", "Usage-Based"),
        ("Tax", "Tax", "One-Time"),
        ("Credit", "Credit", "One-Time"),
        ("EdpDiscount", "Adjustment", "One-Time"),
        ("Refund", "Adjustment", "One-Time"),
        ("Fee", "Purchase", "One-Time"),
        ("SomethingNew", "Adjustment", "One-Time"),
    ],
)
def test_a_line_item_type_has_a_charge_category(
    by_type: dict[str, dict[str, Any]], type_: str, category: str, frequency: str
) -> None:
    row = by_type[type_]
    assert (row["ChargeCategory"], row["ChargeFrequency"]) == (category, frequency)
    assert (row["PricingQuantity"] is None) == (category not in ("Usage", "Purchase"))
    assert (row["ConsumedQuantity"] is None) == (category != "Usage")
    assert (row["SkuId"] is None) == (category not in ("Usage", "Purchase"))


def only(folder: Path, *lines: dict[str, Any]) -> dict[str, Any]:
    (row,) = rows_of(made(folder, "1.3", DIRECT, lines)[1])
    return row


def test_usage_is_counted_in_tokens_and_priced_as_billed(tmp_path: Path) -> None:
    row = only(tmp_path, line("1", line_item_usage_amount=2.5))
    assert (row["PricingQuantity"], row["PricingUnit"]) == (Decimal("2.5"), "1000 tokens")
    assert (row["ConsumedQuantity"], row["ConsumedUnit"]) == (2500, "Tokens")
    assert (row["SkuId"], row["SkuMeter"]) == ("USE1-NovaPro-input-tokens", "input")


def test_aws_invoices_what_the_marketplace_sells_and_the_seller_is_told(tmp_path: Path) -> None:
    row = only(tmp_path, EVERY_KIND[-1])
    providers = ("ProviderName", "ServiceProviderName", "HostProviderName", "InvoiceIssuerName")
    # BilledCost would have to be 0 where these differ.
    assert {row[name] for name in providers} == {"AWS"}
    assert (row["x_BillingEntity"], row["x_LegalEntity"]) == ("AWS Marketplace", "Anthropic, PBC")
    assert row["PublisherName"] == "Anthropic"
    assert row["BilledCost"] == Decimal("12.34")


def test_what_a_line_lacks_is_null_and_not_an_empty_text(tmp_path: Path) -> None:
    bare = line("1", account="", invoice="", product_region_code="", principal="")
    row = only(tmp_path, bare)
    names = ("SubAccountId", "SubAccountName", "SubAccountType", "InvoiceId", "RegionId")
    assert {row[name] for name in (*names, "ResourceId", "ResourceType")} == {None}


def test_no_word_stands_for_what_is_not_known(tmp_path: Path) -> None:
    odd = line("1", line_item_usage_type="USE1-Zephyr9-quanta", pricing_unit="Quanta")
    unknown, tax = only(tmp_path / "a", odd), only(tmp_path / "b", TAX)
    assert (unknown["PublisherName"], tax["x_Model"]) == ("Amazon Web Services, Inc.", None)


def test_a_charge_without_a_date_is_of_the_whole_month(tmp_path: Path) -> None:
    row = only(tmp_path, {**line("1"), "line_item_usage_start_date": None})
    found = (row["ChargePeriodStart"], row["ChargePeriodEnd"])
    assert found == (datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))


def test_a_resources_kind_is_read_from_its_name(tmp_path: Path) -> None:
    arn = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abc"
    row = only(tmp_path, line("1", line_item_resource_id=arn))
    assert (row["ResourceId"], row["ResourceType"]) == (arn, "Application inference profile")


def test_older_tag_maps_and_cost_categories_are_tags_too(tmp_path: Path) -> None:
    maps = {"resource_tags": {"user_app": "shop"}, "cost_category": {"Division": "Retail"}}
    row = only(tmp_path, {**line("1"), **maps})
    assert as_json({"user_app": "shop", "costCategory/Division": "Retail"})[1:-1] in row["Tags"]


@pytest.mark.parametrize(
    ("billed", "unit"),
    [
        ("1K tokens", "1000 tokens"),
        ("1M tokens", "1000000 tokens"),
        ("1000 Tokens", "1000 Tokens"),
        ("", "Units"),
        ("Hours", "Hours"),
    ],
)
def test_a_unit_is_spelled_as_focus_does(billed: str, unit: str) -> None:
    assert unit_of(billed) == unit


def test_json_keeps_every_digit_and_every_character() -> None:
    exact = Decimal("0.123456789012345678901234567890")
    assert as_json({"a": [exact, '"\\é']}) == f'{{"a": [{exact}, "\\"\\\\é"]}}'
