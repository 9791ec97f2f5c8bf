"""Cost Explorer over HTTP: the bill's own sums, paging, what is kept, what it costs, what fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chargeback.billing_period import first_of_next, now
from chargeback.demo.billing_api import BillingApi
from chargeback.errors import SourceProblem
from chargeback.sources.billing.answers import AwsEndpoint, Endpoint, true_for
from chargeback.sources.billing.cost_explorer import PRICE, Cost, CostExplorer
from tests.billing_service import (
    CLOSED_MONTH,
    COST,
    IS_BEDROCK,
    NET_MONTH,
    OPEN_MONTH,
    PAYER,
    TODAY,
    Billing,
    billing,
    billing_cur,
    billing_service,
)

__all__ = ["billing", "billing_cur", "billing_service"]

OCTOBER = date(2026, 10, 1), date(2026, 11, 1)
SEPTEMBER = date(2026, 9, 1), date(2026, 10, 1)
NOVEMBER = date(2026, 11, 1), date(2026, 12, 1)
UNTAXED = f"{IS_BEDROCK} and line_item_line_item_type <> 'Tax'"
ACCOUNT = "444455556666"
NOT_AUTHORIZED = (
    f"User: arn:aws:iam::{ACCOUNT}:user/secret is not authorized to perform: ce:GetCostAndUsage "
    f"on resource: arn:aws:ce:us-east-1:{ACCOUNT}:/GetCostAndUsage"
)
TEN_DECIMALS = Decimal("1e-10")


def summed(rows: tuple[Cost, ...]) -> Decimal:
    return sum((row.unblended for row in rows), Decimal())


def asked(billing: Billing) -> tuple[Cost, ...]:
    """A plain question that takes one page."""
    return billing.cost_explorer.all_costs(*OCTOBER, "MONTHLY", ["LINKED_ACCOUNT"]).rows


def kept_files(billing: Billing) -> list[Path]:
    return [file for file in billing.folder.glob("*.json") if file.name != "requests.json"]


def make_old(billing: Billing, age: timedelta) -> datetime:
    """Lets what is kept have been asked for `age` ago."""
    moment = now() - age
    for file in kept_files(billing):
        kept = json.loads(file.read_text())
        file.write_text(json.dumps(kept | {"asked_at": moment.isoformat()}))
    return moment


# ---- figures -------------------------------------------------------------------------------------


def test_services_and_record_types_are_the_bills_marketplace_included(billing: Billing) -> None:
    costs = billing.cost_explorer.bedrock_costs(*OCTOBER, "MONTHLY", ["SERVICE", "RECORD_TYPE"])
    rows = billing.ask(
        f"select product['product_name'], line_item_line_item_type, {COST} from cur "  # noqa: S608
        f"where billing_period = '{CLOSED_MONTH}' and {UNTAXED} group by all"
    )
    names = {"EdpDiscount": "Enterprise Discount Program Discount"}
    expected = {(service, names.get(kind, kind)): cost for service, kind, cost in rows}
    assert {row.keys: row.unblended for row in costs.rows} == expected
    editions = [row for row in costs.rows if row.keys[0].endswith("(Amazon Bedrock Edition)")]
    marketplace = f"{UNTAXED} and bill_billing_entity = 'AWS Marketplace'"
    assert summed(tuple(editions)) == billing.cost(CLOSED_MONTH, marketplace) > 0
    assert {row.currency for row in costs.rows} == {"USD"}
    assert not any(row.is_estimated for row in costs.rows)


def test_a_month_with_net_costs_has_both_metrics(billing: Billing) -> None:
    rows = billing.cost_explorer.bedrock_costs(*SEPTEMBER, "MONTHLY", []).rows
    net = COST.replace("unblended", "net_unblended")
    sql = f"select {net} from cur where billing_period = ? and {UNTAXED}"  # noqa: S608
    ((expected,),) = billing.ask(sql, NET_MONTH)
    assert [row.amount("net") for row in rows] == [expected]
    assert [row.amount("unblended") for row in rows] == [billing.cost(NET_MONTH, UNTAXED)]
    assert rows[0].net_unblended < rows[0].unblended


def test_days_add_up_to_the_month_by_account(billing: Billing) -> None:
    explorer = billing.cost_explorer
    months = explorer.bedrock_costs(*OCTOBER, "MONTHLY", ["LINKED_ACCOUNT"]).rows
    days = explorer.bedrock_costs(*OCTOBER, "DAILY", ["LINKED_ACCOUNT"]).rows
    for month in months:
        assert summed(tuple(day for day in days if day.keys == month.keys)) == month.unblended
    assert {day.start for day in days} == {date(2026, 10, day) for day in range(1, 32)}
    assert summed(months) == billing.cost(CLOSED_MONTH, UNTAXED)


def test_tags_of_iam_principals_group_costs(billing: Billing) -> None:
    rows = billing.cost_explorer.bedrock_costs(*OCTOBER, "MONTHLY", ["iamPrincipal/team"]).rows
    expected = billing.ask(
        "select coalesce(element_at(tags, 'iamPrincipal/team')[1], '') as team, "  # noqa: S608
        f"{COST} from cur where billing_period = '{CLOSED_MONTH}' and {UNTAXED} group by 1"
    )
    assert {row.keys[0]: row.unblended for row in rows} == dict(expected)
    assert {"", "checkout"} < {row.keys[0] for row in rows}


def test_the_halves_by_billing_entity_are_the_whole(billing: Billing) -> None:
    explorer = billing.cost_explorer
    whole, aws, marketplace = (
        summed(explorer.all_costs(*OCTOBER, "MONTHLY", [], marketplace=which).rows)
        for which in (None, False, True)
    )
    assert aws + marketplace == whole == billing.cost(CLOSED_MONTH, "true")
    assert marketplace == billing.cost(CLOSED_MONTH, "bill_billing_entity = 'AWS Marketplace'")


def test_the_open_month_is_estimated_and_ends_before_the_bill(billing: Billing) -> None:
    costs = billing.cost_explorer.bedrock_costs(*NOVEMBER, "DAILY", []).rows
    assert all(row.is_estimated for row in costs)
    assert 0 < summed(costs) < billing.cost(OPEN_MONTH, UNTAXED)


def test_pages_are_put_together_and_paid_for_one_by_one(billing: Billing) -> None:
    explorer = billing.cost_explorer
    rows = explorer.all_costs(*OCTOBER, "DAILY", ["SERVICE", "RECORD_TYPE"]).rows
    pages = billing.service.calls.count("GetCostAndUsage")
    assert summed(rows) == billing.cost(CLOSED_MONTH, "true")
    assert len({(row.start, row.keys) for row in rows}) == len(rows)
    assert pages > 2
    assert (explorer.requests_this_month, explorer.spent_this_month) == (pages, pages * PRICE)


def test_forecast_is_what_was_spent_and_what_is_expected(billing: Billing) -> None:
    forecast = billing.cost_explorer.forecast(TODAY)
    days = billing.cost_explorer.bedrock_costs(date(2026, 11, 1), TODAY, "DAILY", []).rows
    remaining = (first_of_next(TODAY) - TODAY).days
    mean = summed(days[-14:]) / 14
    assert forecast.spent == summed(days)
    assert abs(forecast.expected - mean * remaining) <= TEN_DECIMALS
    assert forecast.lower < forecast.expected < forecast.upper
    assert forecast.total == forecast.spent + forecast.expected
    assert (forecast.month, forecast.currency) == (OPEN_MONTH, "USD")


def test_a_forecast_beside_a_reconciliation_is_one_more_request(billing: Billing) -> None:
    explorer = billing.cost_explorer
    explorer.by_seller(*NOVEMBER, "DAILY")
    paid = explorer.requests_this_month
    explorer.forecast(TODAY)
    assert explorer.requests_this_month == paid + 1


def test_on_the_first_of_a_month_nothing_is_spent_yet(billing: Billing) -> None:
    forecast = billing.cost_explorer.forecast(NOVEMBER[0])
    assert forecast.spent == 0 < forecast.expected


def test_without_history_there_is_no_forecast(billing: Billing) -> None:
    with pytest.raises(SourceProblem, match="no data for these months"):
        billing.cost_explorer.forecast(date(2026, 8, 2))


def test_cost_allocation_tags_are_those_on_the_bill(billing: Billing) -> None:
    listed = billing.cost_explorer.cost_allocation_tags(timedelta())
    tags = {tag.key: tag for tag in listed.tags}
    assert {"iamPrincipal/team", "iamPrincipal/tenant", "app"} <= set(tags)
    team = tags["iamPrincipal/team"]
    assert (team.is_active, team.used_on) == (True, date(2026, 11, 1))
    values = billing.cost_explorer.tag_values("iamPrincipal/team", *OCTOBER)
    assert {"checkout", "support"} < set(values)


def test_tags_come_in_the_largest_pages_that_aws_gives(billing: Billing) -> None:
    asked: list[dict[str, Any]] = []

    class Told(BillingApi):
        def answer(self, target: str, request: dict[str, Any]) -> dict[str, Any]:
            asked.append(request)
            return super().answer(target, request)

    with Told(billing.service.cur) as service:
        CostExplorer(billing.folder, Endpoint(service.url)).cost_allocation_tags(timedelta())
    assert asked == [{"Type": "UserDefined", "MaxResults": 1000}]


def test_first_of_next_month_crosses_years() -> None:
    assert first_of_next(date(2026, 12, 31)) == date(2027, 1, 1)
    assert first_of_next(date(2028, 2, 1)) == date(2028, 3, 1)


# ---- what is kept --------------------------------------------------------------------------------


def test_an_answer_is_kept_and_costs_nothing_again(billing: Billing) -> None:
    first = asked(billing)
    assert asked(billing) == first
    assert billing.service.calls == ["GetCostAndUsage"]
    assert billing.cost_explorer.spent_this_month == PRICE


def test_many_readers_ask_once(billing: Billing) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: asked(billing), range(8)))
    assert answers == [answers[0]] * 8
    assert billing.service.calls == ["GetCostAndUsage"]
    assert billing.cost_explorer.requests_this_month == 1


def test_every_request_of_many_threads_is_counted(billing: Billing) -> None:
    days = [date(2026, 10, day) for day in range(1, 9)]

    def ask(day: date) -> object:
        return billing.cost_explorer.all_costs(day, day + timedelta(1), "DAILY", [])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, days))
    assert billing.cost_explorer.requests_this_month == len(days)


@pytest.mark.parametrize("garbage", [b"", b'{"asked_at": "2026-', b"[]", b"\xff\xfe"])
def test_a_kept_answer_that_cannot_be_read_is_asked_for_again(
    billing: Billing, garbage: bytes
) -> None:
    first = asked(billing)
    for file in billing.folder.glob("*.json"):  # the count of requests as well
        file.write_bytes(garbage)
    assert asked(billing) == first
    assert billing.service.calls == ["GetCostAndUsage"] * 2
    assert billing.cost_explorer.requests_this_month == 1


def test_an_answer_that_is_too_old_is_asked_for_again(billing: Billing) -> None:
    asked(billing)
    make_old(billing, timedelta(hours=23))
    asked(billing)
    assert billing.service.calls == ["GetCostAndUsage"]
    make_old(billing, timedelta(days=31))
    asked(billing)
    assert billing.service.calls == ["GetCostAndUsage"] * 2


@pytest.mark.parametrize("failure", ["refused", "silent"])
def test_an_old_answer_stands_in_with_its_age_and_the_reason(
    billing: Billing, failure: str
) -> None:
    first = asked(billing)
    moment = make_old(billing, timedelta(days=31))
    billing.service.is_silent = failure == "silent"
    billing.service.refuse("ThrottlingException", "Rate exceeded")
    costs = billing.cost_explorer.all_costs(*OCTOBER, "MONTHLY", ["LINKED_ACCOUNT"])
    assert (costs.rows, costs.asked_at) == (first, moment)
    assert costs.problem
    assert ("reached" if failure == "silent" else "too many") in costs.problem.what


def test_tags_are_listed_anew_when_the_answer_is_too_old_to_the_reader(billing: Billing) -> None:
    explorer = billing.cost_explorer
    first = explorer.cost_allocation_tags(timedelta(hours=1))
    moment = make_old(billing, timedelta(minutes=30))
    kept = explorer.cost_allocation_tags(timedelta(hours=1))
    assert (kept.tags, kept.asked_at) == (first.tags, moment)
    paid = explorer.requests_this_month
    anew = explorer.cost_allocation_tags(timedelta(minutes=1))
    assert anew.asked_at > moment
    assert explorer.requests_this_month == 2 * paid
    assert explorer.spent_this_month == PRICE * billing.service.calls.count(
        "ListCostAllocationTags"
    )


def test_how_long_an_answer_is_true() -> None:
    month = now().replace(day=1, hour=0, minute=0, second=0)
    assert true_for(month + timedelta(days=31)) == timedelta(hours=8)
    assert true_for(now() + timedelta(days=1)) == timedelta(hours=8)
    assert true_for(month) == timedelta(hours=24)
    assert true_for(now() - timedelta(days=41)) == timedelta(days=30)


def test_answers_that_cannot_be_kept_are_not_asked_for(billing: Billing) -> None:
    billing.folder.write_text("a file where the folder should be")
    with pytest.raises(SourceProblem, match="can't be saved"):
        asked(billing)
    assert billing.service.calls == []


# ---- what fails ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "message", "what"),
    [
        ("AccessDeniedException", NOT_AUTHORIZED, "AWS denied ce:GetCostAndUsage."),
        ("AccessDeniedException", "", "AWS denied ce:GetCostAndUsage."),
        (
            "AccessDeniedException",
            "User not enabled for cost explorer access",
            "Cost Explorer is not enabled in this account.",
        ),
        (
            "AccessDeniedException",
            "Failed to list Cost Allocation Tags: Linked account doesn't have access to cost "
            "allocation tags.",
            "only to the account that pays.",
        ),
        ("LimitExceededException", "", "Cost Explorer is receiving too many requests"),
        ("ThrottlingException", "Rate exceeded", "Cost Explorer is receiving too many requests"),
        (
            "DataUnavailableException",
            "Data is not available. Please try to adjust the time period.",
            "Cost Explorer has no data for these months yet.",
        ),
        ("ExpiredTokenException", "The security token is expired", "credentials have expired"),
        ("UnrecognizedClientException", "The token is invalid", "not accept the credentials"),
        ("BillExpirationException", "", "does not go back that far"),
        ("RequestChangedException", "", "changed its answer"),
        ("InternalServerException", "secret", "could not answer (InternalServerException)."),
    ],
)
def test_a_refusal_is_told(billing: Billing, code: str, message: str, what: str) -> None:
    billing.service.refuse(code, message)
    with pytest.raises(SourceProblem) as caught:
        asked(billing)
    told = str(caught.value)
    assert what in caught.value.what
    assert "own figures are not affected" in told
    assert caught.value.todo
    assert not [hidden for hidden in ("secret", ACCOUNT, "arn:") if hidden in told]
    assert billing.cost_explorer.requests_this_month == 0
    assert kept_files(billing) == []


def test_throttling_is_waited_out(billing: Billing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_MAX_ATTEMPTS")
    billing.service.refuse("LimitExceededException", times=1)
    assert asked(billing)
    assert billing.service.calls == ["GetCostAndUsage"] * 2


def test_a_refusal_on_a_later_page_keeps_nothing(billing: Billing) -> None:
    explorer = billing.cost_explorer

    def break_second(operation: str, answer: dict[str, Any]) -> dict[str, Any]:
        billing.service.refuse("LimitExceededException", times=1)
        return answer

    billing.service.change = break_second
    with pytest.raises(SourceProblem, match="too many requests"):
        explorer.all_costs(*OCTOBER, "DAILY", ["SERVICE", "RECORD_TYPE"])
    assert (explorer.requests_this_month, kept_files(billing)) == (1, [])


def test_months_too_far_back_are_told(billing: Billing) -> None:
    with pytest.raises(SourceProblem, match="does not go back that far"):
        billing.cost_explorer.all_costs(date(2025, 9, 1), OCTOBER[0], "MONTHLY", [])


def test_no_credentials_no_network_no_answer(
    billing: Billing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(endpoint: Endpoint | AwsEndpoint) -> Callable[[], object]:
        explorer = CostExplorer(billing.folder, endpoint)
        return lambda: explorer.all_costs(*OCTOBER, "MONTHLY", [])

    with pytest.raises(SourceProblem, match="No AWS credentials"):
        ask(AwsEndpoint())()
    with pytest.raises(SourceProblem, match="can't be reached"):
        ask(Endpoint("http://127.0.0.1:9"))()  # the discard port: nobody listens
    monkeypatch.setenv("AWS_PROFILE", "none such")
    with pytest.raises(SourceProblem, match="No AWS credentials"):
        ask(AwsEndpoint())()


def test_boto3s_environment_leads_to_aws_and_not_the_demo_astray(
    billing: Billing, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = asked(billing)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_COST_EXPLORER", billing.service.url)
    real = CostExplorer(billing.folder / "real", AwsEndpoint())
    assert real.all_costs(*OCTOBER, "MONTHLY", ["LINKED_ACCOUNT"]).rows == expected
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_PROFILE", "none such")
    demo = CostExplorer(billing.folder / "demo", Endpoint(billing.service.url))
    assert demo.all_costs(*OCTOBER, "MONTHLY", ["LINKED_ACCOUNT"]).rows == expected


def test_the_account_is_asked_for_each_time_and_for_free(billing: Billing) -> None:
    assert [billing.cost_explorer.account() for _ in range(2)] == [PAYER, PAYER]
    assert billing.service.calls == ["GetCallerIdentity"] * 2
    assert billing.cost_explorer.requests_this_month == 0
    assert kept_files(billing) == []


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("AccessDenied", "AWS denied sts:GetCallerIdentity."),
        ("ExpiredToken", "The AWS credentials have expired."),
    ],
)
def test_an_account_that_is_refused_is_told(billing: Billing, code: str, what: str) -> None:
    billing.service.refuse(code)
    with pytest.raises(SourceProblem) as caught:
        billing.cost_explorer.account()
    assert caught.value.what == what


def test_what_was_asked_when_is_known(billing: Billing) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    costs = billing.cost_explorer.all_costs(*OCTOBER, "MONTHLY", [])
    assert before <= costs.asked_at <= datetime.now(UTC)
    assert costs.problem is None
