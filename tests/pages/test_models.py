"""What the models page shows is what the export holds, summed without the program's statements."""

from __future__ import annotations

from decimal import Decimal

import pytest
from streamlit.testing.v1 import AppTest

from chargeback.formats import money
from chargeback.ui.markdown import plain
from tests.pages.conftest import Bill, OpenPage, drawn, table, total

MONTH = "2026-10"
MODELS = "Models by spend"
PRICES = "Prices by model, token type and tier"
NARROWED = ("Token types by spend", "Service tiers by spend", PRICES)
CENT = Decimal("0.01")
NOVA_LITE_OUTPUT = "line_item_usage_type = 'USE1-NovaLite-output-tokens'"
TOKENS = """
    CASE
        WHEN line_item_line_item_type <> 'Usage' THEN 0
        WHEN pricing_unit IN ('1K tokens', '1000 Tokens') THEN line_item_usage_amount * 1000
        WHEN pricing_unit = '1M tokens' THEN line_item_usage_amount * 1000000
        WHEN pricing_unit = 'Units' AND line_item_usage_type ILIKE '%token%'
            THEN line_item_usage_amount * 1000000
        ELSE 0
    END
"""
CACHE_READ = "regexp_matches(line_item_usage_type, 'cache[-_]?read', 'i')"
TO_MODELS = "(line_item_usage_type ILIKE '%input%' OR line_item_usage_type ILIKE '%cache%')"


def test_every_table_adds_up_to_the_bill(bill: Bill, open_page: OpenPage) -> None:
    app = open_page("models", month=MONTH)
    for what in (MODELS, *NARROWED):
        assert cost_of(app, what) == total(drawn(app, what))["cost"] == bill.total(MONTH)
    assert app.metric[0].value == plain(money(bill.total(MONTH), "USD"))


def test_tokens_are_what_the_pricing_units_say(bill: Bill, open_page: OpenPage) -> None:
    tokens = bill.ask(
        f"SELECT SUM({TOKENS}) FROM bedrock WHERE billing_period = ?",  # noqa: S608
        MONTH,
    )[0][0]
    app = open_page("models", month=MONTH)
    assert float(sum(row["tokens"] for row in table(app, MODELS))) == pytest.approx(tokens)
    assert app.metric[1].value == f"{tokens / 1e9:.1f} B"


def test_a_price_is_cost_over_tokens(bill: Bill, open_page: OpenPage) -> None:
    cost, tokens = bill.ask(
        f"SELECT CAST(SUM(cost) AS DOUBLE), SUM({TOKENS}) FROM bedrock "  # noqa: S608
        f"WHERE billing_period = ? AND {NOVA_LITE_OUTPUT}",
        MONTH,
    )[0]
    prices = table(open_page("models", month=MONTH), PRICES)
    (row,) = (
        row
        for row in prices
        if (row["model"], row["token_type"], row["service_tier"])
        == ("Nova Lite", "output", "on-demand")
    )
    assert float(row["cost"]) == pytest.approx(cost)
    assert float(row["tokens"]) == pytest.approx(tokens)
    assert float(row["cost_per_million"]) == pytest.approx(cost / tokens * 1e6, abs=1e-6)


def test_the_cache_read_share_is_of_all_tokens_sent_to_models(
    bill: Bill, open_page: OpenPage
) -> None:
    read, sent = bill.ask(
        f"SELECT SUM({TOKENS}) FILTER (WHERE {CACHE_READ}), "  # noqa: S608
        f"SUM({TOKENS}) FILTER (WHERE {TO_MODELS}) FROM bedrock WHERE billing_period = ?",
        MONTH,
    )[0]
    card = open_page("models", month=MONTH).metric[3]
    assert (card.label, card.value) == ("Cache read share", f"{read / sent * 100:.1f} %")


def test_cache_savings_of_the_models_add_up_to_the_card(open_page: OpenPage) -> None:
    app = open_page("models", month=MONTH)
    savings = [row["cache_saving"] for row in table(app, MODELS)]
    assert None in savings  # a model that has no cache
    saved = sum((each for each in savings if each is not None), Decimal())
    card = app.metric[4]
    assert (card.label, card.value) == ("Cache savings", plain(money(saved, "USD")))


def test_what_is_not_tokens_has_no_price(open_page: OpenPage) -> None:
    models = {row["name"]: row for row in table(open_page("models", month=MONTH), MODELS)}
    assert models["Guardrails"]["cost"] > 0
    assert models["Guardrails"]["cost_per_million"] is None


def test_a_model_in_the_address_narrows_what_is_below(bill: Bill, open_page: OpenPage) -> None:
    app = open_page("models", month=MONTH, at="model:Nova Lite")
    assert "Below: only **Nova Lite**" in [text.value for text in app.markdown]
    spent = {row["name"]: row["cost"] for row in table(app, MODELS)}
    assert abs(sum(spent.values()) - bill.total(MONTH)) < CENT
    for what in NARROWED:
        assert abs(cost_of(app, what) - spent["Nova Lite"]) < CENT


def test_all_models_is_the_way_back(open_page: OpenPage) -> None:
    app = open_page("models", month=MONTH, at="model:Nova Lite")
    (back,) = (button for button in app.button if button.label == "All models")
    back.click().run()
    assert "at" not in app.query_params
    assert len({row["model"] for row in table(app, PRICES)}) > 1


def test_a_model_that_nobody_used_is_said_literally(open_page: OpenPage) -> None:
    app = open_page("models", month=MONTH, at="model:**:red[x]**")
    (warning,) = app.warning
    assert plain("**:red[x]**") in warning.value
    assert "**:red[x]**" not in warning.value
    assert len({row["model"] for row in table(app, PRICES)}) > 1


def test_what_is_not_read_for_certain_is_listed_with_its_cost(
    bill: Bill, open_page: OpenPage
) -> None:
    unknown = "line_item_usage_type = 'USE1-Zephyr9-quantum-tokens'"
    new = "line_item_product_code = 'AmazonBedrockStudio'"
    rows = table(open_page("models", month=MONTH), "Usage types not fully recognised")
    (zephyr,) = (row for row in rows if row["usage_type"] == "USE1-Zephyr9-quantum-tokens")
    assert abs(zephyr["cost"] - bill.total(MONTH, unknown)) < CENT
    assert zephyr["meaning"].startswith("Not known what this measures")
    studio = [row for row in rows if row["product_code"] == "AmazonBedrockStudio"]
    assert abs(sum(row["cost"] for row in studio) - bill.total(MONTH, new)) < CENT
    assert all("The product code is new." in row["meaning"] for row in studio)
    assert all(row["usage_type"] for row in rows)


def test_filters_hold_here_too(bill: Bill, open_page: OpenPage) -> None:
    region = "eu-west-1"
    app = open_page("models", month=MONTH, region=region)
    spent = bill.total(MONTH, f"product_region_code = '{region}'")
    assert app.metric[0].value == plain(money(spent, "USD"))
    assert abs(cost_of(app, PRICES) - spent) < CENT


def cost_of(app: AppTest, what: str) -> Decimal:
    """What the rows of a table cost together."""
    return sum((row["cost"] for row in table(app, what)), Decimal())
