"""The way from a ranked table down to the CUR lines, in the address and on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from urllib.parse import parse_qs

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from chargeback.access.rows import EVERYTHING
from chargeback.dimensions import BY_NAME
from chargeback.formats import decimals_of, digits, exact_money, money
from chargeback.reports.view import View
from chargeback.ui.cur_lines import describe_lines
from chargeback.ui.drill_path import OFFERED, PARAMETERS, DrillPath, read_path
from chargeback.ui.markdown import plain
from tests.pages.conftest import Bill, OpenPage, rows, table, tables, total

TENANTS = ("tenant", "team", "principal", "model", "token_type")
PRINCIPALS = ("principal", "iam_principal", "model", "token_type")
MONTH = "2026-10"
"""A month that is over in the bill under test."""
ACME = "tags['iamPrincipal/tenant'] = 'acme-corp'"
ALL_OFFERED = st.sampled_from(OFFERED)

conditions = st.lists(
    st.tuples(st.sampled_from(list(BY_NAME)), st.text()), unique_by=lambda pair: pair[0], max_size=5
).map(tuple)
places = st.builds(
    DrillPath,
    st.sampled_from([TENANTS, PRINCIPALS]),
    conditions,
    day=st.none() | st.dates(),
    page=st.integers(0, 999_998),
)


def to_top(levels: Sequence[str], units: Sequence[str]) -> DrillPath:
    """Where a reader comes who takes the first offer at each level."""
    place = DrillPath(tuple(levels))
    for unit in units:
        place = place.down(unit)
    return place


@given(places, ALL_OFFERED)
def test_an_address_leads_back_to_its_place(place: DrillPath, split: str) -> None:
    chosen = (
        place
        if split in dict(place.at)
        else DrillPath(place.levels, place.at, split, place.day, place.page)
    )
    assert read_path(chosen.levels, chosen.parameters()) == (chosen, [])


@given(st.dictionaries(st.sampled_from(PARAMETERS), st.lists(st.text(), max_size=4)))
def test_every_part_of_any_address_is_taken_or_reported(
    parameters: Mapping[str, Sequence[str]],
) -> None:
    place, ignored = read_path(TENANTS, parameters)
    asked = {text for texts in parameters.values() for text in texts}
    taken = {text for texts in place.parameters().values() for text in texts}
    assert set(ignored) <= asked
    assert len(place.at) + sum(text in ignored for text in parameters.get("at", ())) >= len(
        parameters.get("at", ())
    )
    assert {text for text in asked - set(ignored) if ":" in text} <= taken


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        ("at", "tenant"),
        ("at", "colour:red"),
        ("at", "tenant:again"),
        ("by", "tenant"),
        ("by", "day; drop"),
        ("day", "2026-02-30"),
        ("page", "0"),
        ("page", "-1"),
        ("page", "9" * 5000),
        ("page", "٣"),
    ],
)
def test_what_means_nothing_is_left_out_and_reported(parameter: str, text: str) -> None:
    parameters = {"at": ["tenant:acme-corp"]}
    parameters[parameter] = [*parameters.get(parameter, []), text]
    assert read_path(TENANTS, parameters) == (
        DrillPath(TENANTS, (("tenant", "acme-corp"),)),
        [text],
    )


def test_a_value_may_hold_what_separates_it() -> None:
    place, ignored = read_path(PRINCIPALS, {"at": ["principal:arn:aws:iam::1:user/x"]})
    assert place.at == (("principal", "arn:aws:iam::1:user/x"),)
    assert ignored == []


def test_levels_follow_each_other_down_to_the_lines_of_a_day() -> None:
    units = ["acme-corp", "checkout", "gateway", "Nova Pro", "input", "2026-10-04"]
    splits = [to_top(TENANTS, units[:depth]).by for depth in range(len(units) + 1)]
    assert splits == [*TENANTS, "day", "lines"]
    assert to_top(TENANTS, units).day == date(2026, 10, 4)


def test_nobody_must_pass_through_every_level() -> None:
    at_model = to_top(TENANTS, ["acme-corp"]).split_by("model").down("Nova Pro")
    assert at_model.at == (("tenant", "acme-corp"), ("model", "Nova Pro"))
    assert at_model.by == "token_type"
    assert "team" in at_model.splits()


def test_callers_are_offered_below_the_principal_that_they_share() -> None:
    assert "iam_principal" not in to_top(TENANTS, ["acme-corp"]).splits()
    assert "iam_principal" in to_top(TENANTS, ["acme-corp", "checkout", "gateway"]).splits()
    assert to_top(PRINCIPALS, ["gateway"]).next_split() == "iam_principal"
    assert to_top(PRINCIPALS, ["gateway"]).next_split(skipped="iam_principal") == "model"


@given(places, places)
def test_widgets_of_two_places_are_never_mixed_up(one: DrillPath, other: DrillPath) -> None:
    assert (one.key == other.key) == (
        (one.levels, one.at, one.by, one.day, one.page)
        == (other.levels, other.at, other.by, other.day, other.page)
    )


def test_a_condition_holds_together_with_a_filter_on_the_same_dimension() -> None:
    month = View(MONTH, "USD", EVERYTHING, (("tenant", ("acme-corp", "bluefin-bank")),))
    at_acme = DrillPath(TENANTS, (("tenant", "acme-corp"),))
    at_other = DrillPath(TENANTS, (("tenant", "cedar-health"),))
    assert at_acme.narrow(month).parameters()["tenant"] == ["acme-corp"]
    assert at_other.narrow(month).parameters()["tenant"] == []


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=0, max_value=10**12))
def test_exact_amounts_lose_no_digit(amount: Decimal) -> None:
    written = exact_money(amount, "USD")
    assert Decimal(written.removeprefix("$").replace(",", "")) == amount
    assert len(written.partition(".")[2]) == max(2, decimals_of(amount))


def test_exact_amounts_are_written_plainly() -> None:
    assert exact_money(Decimal("0.000001234500"), "USD") == "$0.0000012345"
    assert exact_money(Decimal("-1204.500000000000"), "USD") == "-$1,204.50"
    assert digits(Decimal("1000"), 0) == "1,000"


def test_lines_say_whether_they_are_the_level() -> None:
    frame = pd.DataFrame({"cost": [Decimal("0.10"), Decimal("0.2000000001")]})
    cost = Decimal("0.3000000001")
    assert describe_lines(frame, 0, 2, cost, "USD") == (
        "2 CUR lines, sum $0.3000000001: this level's cost, to the last digit"
    )
    assert describe_lines(frame, 1, 202, Decimal(9), "USD").startswith("Lines 201 to 202 of 202")
    assert "but this level's cost is $0.31" in describe_lines(frame, 0, 2, Decimal("0.31"), "USD")


def captions(app: AppTest) -> str:
    return "\n".join(caption.value for caption in app.caption)


@pytest.mark.parametrize("page", ["tenants", "teams", "projects", "cost_centers", "principals"])
def test_the_ranking_adds_up_to_the_bill(page: str, open_page: OpenPage, bill: Bill) -> None:
    (ranking,) = tables(open_page(page, month=MONTH))
    shown, whole = rows(ranking), bill.total(MONTH)
    assert sum(row["cost"] for row in shown) == whole
    assert total(ranking)["cost"] == whole
    assert shown[-1]["name"] == "(unallocated)"


@pytest.mark.parametrize("split", ["team", "principal", "model", "token_type", "day", "lines"])
def test_every_split_of_a_level_is_the_same_money(
    split: str, open_page: OpenPage, bill: Bill
) -> None:
    app = open_page("tenants", month=MONTH, at="tenant:acme-corp", by=split)
    cost = bill.total(MONTH, ACME)
    assert app.button_group[0].value == split
    assert total(tables(app)[-1])["cost"] == cost


def test_the_lines_of_a_day_are_its_cost(open_page: OpenPage, bill: Bill) -> None:
    day = f"{MONTH}-05"
    of_day = f"{ACME} AND CAST(line_item_usage_start_date AS DATE) = DATE '{day}'"
    app = open_page("tenants", month=MONTH, at="tenant:acme-corp", day=day)
    lines, count = rows(tables(app)[0]), f"SELECT COUNT(*) FROM bedrock WHERE {of_day}"  # noqa: S608
    assert len(lines) == bill.ask(count)[0][0] > 0
    assert plain(
        f"sum {exact_money(bill.total(MONTH, of_day), 'USD')}: this level's cost"
    ) in captions(app)


def test_a_line_says_what_one_unit_is_and_costs(open_page: OpenPage) -> None:
    at = ["tenant:acme-corp", "model:Claude Sonnet 5.5", "token_type:output"]
    lines = rows(tables(open_page("tenants", month=MONTH, at=at, by="lines"))[0])
    # AWS Marketplace says "Units" and no size; the price of the demo's offer is for a million.
    units = {(row["unit"], round(row["unit_price"], 2)) for row in lines}
    assert units == {("Units of 1,000,000 tokens", Decimal("15.00"))}


def test_crumbs_lead_to_every_level_above_and_keep_the_rest(open_page: OpenPage) -> None:
    above = ["tenant:acme-corp", "model:Claude Sonnet 5.5"]
    app = open_page("tenants", month=MONTH, at=[*above, "token_type:output"], region="us-east-1")
    crumbs = [crumb.proto for crumb in app.main.get("page_link")][: len(above) + 1]
    assert [crumb.label for crumb in crumbs] == ["Tenants", plain("acme-corp"), "Claude Sonnet 5.5"]
    for depth, crumb in enumerate(crumbs):
        address = parse_qs(crumb.query_string)
        assert address.get("at", []) == above[:depth]
        assert (address["month"], address["region"]) == ([MONTH], ["us-east-1"])


def test_choosing_a_split_is_written_into_the_address(open_page: OpenPage) -> None:
    app = open_page("tenants", month=MONTH, at="tenant:acme-corp")
    app.button_group[0].select("token_type").run()
    assert app.query_params["by"] == "token_type"
    assert app.button_group[0].value == "token_type"
    assert "token type" in app.subheader[-1].value


def crumbs_said(app: AppTest) -> list[str]:
    return [text.value for text in app.main.markdown if text.value.startswith((":gray[", "**"))]


def test_levels_of_a_single_row_are_passed_and_said(open_page: OpenPage, bill: Bill) -> None:
    team = "tags['iamPrincipal/team']"
    asked = f"SELECT DISTINCT COALESCE({team}, '') FROM bedrock WHERE {ACME}"  # noqa: S608
    assert bill.ask(asked) == [("checkout",)]
    app = open_page("tenants", month=MONTH, at="tenant:acme-corp")
    only = [":gray[only team\\: checkout]", ":gray[only principal\\: llm-gateway]"]
    assert crumbs_said(app) == ["**acme-corp**", *only]
    assert len(table(app, "Models by spend")) > 1
    assert "Teams" in app.button_group[0].options


def test_a_level_of_a_single_row_is_shown_to_who_asks_for_it(open_page: OpenPage) -> None:
    app = open_page("tenants", month=MONTH, at="tenant:acme-corp", by="team")
    assert [row["name"] for row in table(app, "Teams by spend")] == ["checkout"]
    assert crumbs_said(app) == ["**acme-corp**"]


@pytest.mark.parametrize(
    ("page", "at"),
    [
        ("projects", "project:catalogue-agent"),
        ("cost_centers", "cost_center:(unallocated)"),
        ("teams", "team:(unallocated)"),
        ("principals", "principal:arn:aws:iam::111122223333:role/llm-gateway"),
    ],
)
def test_the_first_level_that_splits_a_unit_is_shown(
    page: str, at: str, open_page: OpenPage
) -> None:
    app = open_page(page, month=MONTH, at=at)
    assert len(rows(tables(app)[-1])) > 1
    assert any(text.value.startswith("**") for text in app.main.markdown)


def test_a_unit_shows_why_it_changed_and_each_step_leads_on(
    open_page: OpenPage, bill: Bill
) -> None:
    change = bill.total(MONTH, ACME) - bill.total("2026-09", ACME)
    app = open_page("tenants", month=MONTH, at="tenant:acme-corp")
    assert f"{money(abs(change), 'USD')}:" in app.subheader[0].value.replace("\\", "")
    assert app.subheader[1].value == "What moved since September"
    (mix,) = (each.proto for each in app.main.get("page_link") if each.proto.label.endswith("mix"))
    address = parse_qs(mix.query_string)
    shown = address.get("by", [app.button_group[0].value])
    assert (address["at"], shown) == (["tenant:acme-corp"], ["model"])


def test_a_month_without_one_before_has_no_bridge(open_page: OpenPage) -> None:
    app = open_page("tenants", month="2026-09", at="tenant:acme-corp")
    assert app.subheader[0].value == "What changed"
    assert "There is no month before to compare with." in captions(app)


def test_a_further_page_of_lines_is_written_into_the_address(open_page: OpenPage) -> None:
    app = open_page("tenants", month=MONTH, at="tenant:(unallocated)", by="lines")
    first = tables(app)
    app.get("pagination")[0].select(2).run()  # type: ignore[union-attr]
    assert app.query_params["page"] == "2"
    assert "Lines 201 to" in captions(app)
    assert tables(app) != first


@pytest.mark.parametrize(
    "tenant",
    ["<b>Globex</b>", '=HYPERLINK("http://evil.example","x")', "株式会社サクラ", "O'Reilly, Inc."],
)
def test_any_name_is_shown_letter_by_letter(tenant: str, open_page: OpenPage) -> None:
    app = open_page("tenants", month=MONTH, at=[f"tenant:{tenant}", "token_type:output"])
    assert app.main.get("page_link")[1].proto.label == plain(tenant)
    assert not app.exception


def test_an_address_that_means_nothing_is_no_failure(open_page: OpenPage) -> None:
    app = open_page("teams", month=MONTH, at=["colour:$red$", "team:nobody"], by="x", page="-1")
    assert plain("colour:$red$") in app.warning[0].value
    assert "nobody was billed" in app.info[0].value
    assert not app.exception


def test_filters_that_leave_nothing_can_be_cleared(open_page: OpenPage) -> None:
    app = open_page("tenants", month=MONTH, at="tenant:acme-corp", tenant="bluefin-bank")
    assert "matches the filters" in app.info[0].value
    app.button(key="clear-filters").click().run()
    assert "tenant" not in app.query_params
    assert app.session_state["tenant"] == []


def test_an_open_month_is_compared_with_the_same_days(open_page: OpenPage, open_bill: Bill) -> None:
    app = open_page("tenants", bill=open_bill)
    labels = {column["name"]: column["label"] for column in tables(app)[0]["columns"]}
    assert labels["change_percent"].startswith("vs 1–")
