"""What the overview shows is what the export holds, summed without the program's statements."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from chargeback.billing_period import today
from chargeback.demo import write_demo
from chargeback.formats import change_percent, money, signed_money, signed_percent
from chargeback.ui.markdown import plain
from tests.bills import line, write_bill
from tests.pages.conftest import Bill, OpenPage, table, tables

SEPTEMBER, OCTOBER = "2026-09", "2026-10"
TENANT = """
    list_filter(
        map_entries(tags),
        lambda tag: lower(tag.key) = 'iamprincipal/tenant' AND tag.value <> ''
    )[1].value
"""
OF_THE_MONTH = """
    line_item_line_item_type = 'Usage' AND strftime(line_item_usage_start_date, '%Y-%m') = '{}'
"""
CAUSES = "What moved since September"
MOVED = "{} that moved most"
CENT = Decimal("0.01")


def test_spend_is_the_bill_compared_with_the_month_before(bill: Bill, open_page: OpenPage) -> None:
    spent, before = bill.total(OCTOBER), bill.total(SEPTEMBER)
    app = open_page("overview", month=OCTOBER)
    card = app.metric[0]
    assert (card.label, card.value) == ("Spend", in_text(spent))
    assert card.delta.startswith(signed_percent(change_percent(spent, before)))
    words = f"{signed_money(spent - before, 'USD')} against September’s {money(before, 'USD')}."
    assert plain(words) in captions(app)


def test_what_is_not_in_the_chart_is_the_rest_of_the_month(bill: Bill, open_page: OpenPage) -> None:
    by_day = bill.total(OCTOBER, OF_THE_MONTH.format(OCTOBER))
    total = bill.total(OCTOBER)
    said = f"{in_text(total - by_day)} belongs to no day of the month"
    assert any(text.startswith(said) for text in captions(open_page("overview", month=OCTOBER)))


@pytest.mark.parametrize("dimension", ["tenant", "team", "principal", "model"])
def test_every_top_table_adds_up_to_the_bill(
    bill: Bill, open_page: OpenPage, dimension: str
) -> None:
    top = table(open_page("overview", month=OCTOBER), f"Top {dimension}s by spend")
    assert sum(row["cost"] for row in top) == bill.total(OCTOBER)
    assert abs(sum(row["share"] for row in top) - 1) < Decimal("1e-10")  # of 12 decimals, each


def test_tenants_cost_what_lines_with_their_tag_cost(bill: Bill, open_page: OpenPage) -> None:
    rows = bill.ask(
        f"SELECT COALESCE({TENANT}, '(unallocated)') AS tenant, SUM(cost) FROM bedrock "  # noqa: S608
        "WHERE billing_period = ? GROUP BY tenant",
        OCTOBER,
    )
    by_tag: dict[str, Decimal] = dict(rows)
    named = sorted(
        (tenant for tenant in by_tag if tenant != "(unallocated)"),
        key=lambda tenant: -by_tag[tenant],
    )
    top = table(open_page("overview", month=OCTOBER), "Top tenants by spend")
    shown = {row["name"]: row["cost"] for row in top}
    assert list(shown) == [*named[:5], f"{len(named) - 5} other tenants", "(unallocated)"]
    for tenant in (*named[:5], "(unallocated)"):
        assert abs(shown[tenant] - by_tag[tenant]) < CENT


def test_what_moved_most_is_the_largest_difference(bill: Bill, open_page: OpenPage) -> None:
    rows = bill.ask(
        f"SELECT COALESCE({TENANT}, '(unallocated)') AS tenant, "  # noqa: S608
        "SUM(CASE WHEN billing_period = ? THEN cost ELSE -cost END) AS change FROM bedrock "
        "WHERE billing_period IN (?, ?) GROUP BY tenant ORDER BY abs(change) DESC",
        OCTOBER,
        OCTOBER,
        SEPTEMBER,
    )
    app = open_page("overview", month=OCTOBER)
    moved = table(app, MOVED.format("Tenants"))
    assert MOVED.format("Tenants") in [title.value for title in app.subheader]
    assert len(moved) > 1
    for row, (_, change) in zip(moved, rows[: len(moved)], strict=True):
        assert abs(row["change"] - change) < CENT
    assert all(row["reason"] for row in moved)


def test_the_change_is_bridged_and_its_causes_add_up(bill: Bill, open_page: OpenPage) -> None:
    change = bill.total(OCTOBER) - bill.total(SEPTEMBER)
    app = open_page("overview", month=OCTOBER)
    titles = [title.value for title in app.subheader]
    assert titles[0].startswith(
        plain(f"{'Up' if change > 0 else 'Down'} {money(abs(change), 'USD')}:")
    )
    assert titles[1] == CAUSES
    found = table(app, CAUSES)
    assert found[0]["what"] == "its runaway of 11–14 September ended"
    assert abs(sum(row["amount"] for row in found) - change) < CENT


def test_each_step_of_the_bridge_leads_on_and_keeps_month_and_filters(open_page: OpenPage) -> None:
    app = open_page("overview", month=OCTOBER, account="111122223333")
    ways = {link.proto.label: link.proto for link in app.main.get("page_link")}
    (more,) = (way for label, way in ways.items() if label.endswith("tokens"))
    (mix,) = (way for label, way in ways.items() if label.endswith("mix"))
    assert (more.page, mix.page) == ("principals", "models")
    assert {more.query_string, mix.query_string} == {f"month={OCTOBER}&account=111122223333"}


def test_attribution_and_what_is_not_attributed_make_the_bill(
    bill: Bill, open_page: OpenPage
) -> None:
    tagged = bill.total(OCTOBER, f"{TENANT} IS NOT NULL")
    called = bill.total(OCTOBER, "COALESCE(line_item_iam_principal, '') <> ''")
    app = open_page("overview", month=OCTOBER)
    covered = {row["dimension"]: row for row in table(app, "Attributed spend")}
    assert list(covered) == ["Tenant", "Team", "Principal"]
    for row in covered.values():
        assert abs(row["attributed"] + row["not_attributed"] - bill.total(OCTOBER)) < CENT
    assert abs(covered["Tenant"]["attributed"] - tagged) < CENT
    assert abs(covered["Principal"]["attributed"] - called) < CENT
    assert covered["Tenant"]["sources"].startswith("iamPrincipal/tenant")
    assert app.metric[3].value == f"{tagged / bill.total(OCTOBER):.1%}".replace("%", " %")


def test_a_meter_that_is_not_read_for_certain_is_announced(open_page: OpenPage) -> None:
    links = open_page("overview", month=OCTOBER).main.get("page_link")
    (link,) = (each for each in links if "not fully recognised" in each.proto.label)
    assert (link.proto.page, link.proto.query_string) == ("models", f"month={OCTOBER}")


def test_an_open_month_is_compared_over_the_same_days(open_bill: Bill, open_page: OpenPage) -> None:
    month, before = f"{today():%Y-%m}", f"{today().replace(day=1) - timedelta(days=1):%Y-%m}"
    newest = open_bill.ask(
        f"SELECT MAX(line_item_usage_start_date) FROM bedrock WHERE {OF_THE_MONTH.format(month)}"  # noqa: S608
    )[0][0]
    days = max(newest.day - 1, 1)
    up_to = f"{OF_THE_MONTH} AND day(line_item_usage_start_date) <= {days}"
    now = open_bill.total(month, up_to.format(month))
    then = open_bill.total(before, up_to.format(before))
    app = open_page("overview", bill=open_bill)
    assert [card.label for card in app.metric][:2] == ["Spend so far", "Run rate"]
    assert app.metric[0].value == in_text(open_bill.total(month))
    assert app.metric[0].delta.startswith(signed_percent(change_percent(now, then)))
    compared = next(text for text in captions(app) if text.startswith("Usage on the"))
    assert f": {in_text(now)}; on the same days of" in compared
    assert f": {in_text(then)}. All of" in compared
    assert compared.endswith(f": {in_text(open_bill.total(before))}.")


def test_a_month_before_principals_were_recorded_is_unallocated_throughout(
    tmp_path: Path, open_page: OpenPage
) -> None:
    write_demo(tmp_path / "cur", today=date(2026, 3, 20), months=1, lines=400)
    early = Bill(tmp_path / "cur", tmp_path / "store")
    app = open_page("overview", bill=early, month="2026-03")
    assert app.metric[3].value == "0.0 %"
    for dimension in ("tenant", "team", "principal"):
        assert names(app, f"Top {dimension}s by spend") == ["(unallocated)"]
    assert "There is no month before to compare with." in captions(app)
    assert {row["sources"] for row in table(app, "Attributed spend")} == {"–"}


def test_filters_that_leave_nothing_say_so(bill: Bill, open_page: OpenPage) -> None:
    together = set(
        bill.ask(
            "SELECT DISTINCT line_item_usage_account_id, product_region_code FROM bedrock "
            "WHERE billing_period = ? AND product_region_code IS NOT NULL",
            OCTOBER,
        )
    )
    accounts, regions = ({pair[i] for pair in together} for i in (0, 1))
    apart = {(a, r) for a in accounts for r in regions} - together
    account, region = min(apart)
    app = open_page("overview", month=OCTOBER, account=account, region=region)
    assert [box.value for box in app.info] == [
        "Nothing in October 2026 matches the filters. Remove one to see more."
    ]
    assert not app.metric
    assert not tables(app)


def test_the_address_chooses_what_the_trend_is_by(open_page: OpenPage) -> None:
    app = open_page("overview", month=OCTOBER, trend="Model")
    assert any(title.value.startswith("Spend by day and model") for title in app.subheader)
    assert set(names(app, "Top models by spend")) & set(names(app, MOVED.format("Models")))


def in_text(amount: Decimal) -> str:
    """An amount as Markdown shows it."""
    return plain(money(amount, "USD"))


def names(app: AppTest, what: str) -> list[str]:
    """The first column of a table."""
    return [row["name"] for row in table(app, what)]


def captions(app: AppTest) -> list[str]:
    return [caption.value for caption in app.caption]


def test_a_filter_that_the_month_lacks_is_no_reason_to_show_the_whole_bill(
    open_page: OpenPage,
) -> None:
    app = open_page("overview", month=OCTOBER, tenant="no such tenant")
    assert [box.value for box in app.info] == [
        "Nothing in October 2026 matches the filters. Remove one to see more."
    ]
    assert not app.metric
    assert "**Only tenant no such tenant**" in captions(app)


def test_a_filter_stays_when_another_month_lacks_it(open_page: OpenPage, tmp_path: Path) -> None:
    months = {OCTOBER: [line("5.00", tenant="newcomer")], SEPTEMBER: [line("4.00", tenant="old")]}
    bill = Bill(write_bill(tmp_path / "cur", months), tmp_path / "store")
    app = open_page("overview", bill=bill, month=OCTOBER, tenant="newcomer")
    assert app.metric[0].value == in_text(Decimal("5.00"))
    app.selectbox("month").set_value(SEPTEMBER).run()
    assert "**Only tenant newcomer**" in captions(app)
    assert [box.value for box in app.info] == [
        "Nothing in September 2026 matches the filters. Remove one to see more."
    ]


def test_part_of_a_bill_is_not_called_the_bill(open_page: OpenPage) -> None:
    part, whole = (
        open_page("overview", month=OCTOBER, team=team) for team in (["search", "support"], [])
    )
    assert "**Only team search or support**" in captions(part)
    badges = [" ".join(text.value for text in app.markdown) for app in (part, whole)]
    assert ["Adds up to the bill" in text for text in badges] == [False, True]
    assert ["Part of the bill" in text for text in badges] == [True, False]


def test_lines_without_a_region_can_be_asked_for(bill: Bill, open_page: OpenPage) -> None:
    app = open_page("overview", month=OCTOBER, region="(no region)")
    without = bill.total(OCTOBER, "COALESCE(product_region_code, '') = ''")
    assert without
    assert app.metric[0].value == in_text(without)


def test_a_file_of_a_part_is_named_so(open_page: OpenPage) -> None:
    for filters, ending in (({}, "2026-10.csv"), ({"team": "search"}, "2026-10-filtered.csv")):
        app = open_page("overview", month=OCTOBER, **filters)
        keys = [button.key for button in app.get("download_button")]
        assert keys
        assert all(str(key).endswith(ending) for key in keys)
