"""AWS Cost Explorer: what it says Bedrock cost, Marketplace editions included, and will cost.

Every request costs $0.01, each page one (AWS Cost Management pricing, "Cost Explorer API", which
exempts no operation), so an answer is kept on disk for as long as it stays true, and requests are
counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from chargeback.billing_period import first_of_next, month_of, now
from chargeback.errors import SourceProblem
from chargeback.money import ZERO
from chargeback.sources.billing.answers import (
    Answer,
    AwsEndpoint,
    BillingAnswers,
    Endpoint,
    Question,
    true_for,
)

PRICE = Decimal("0.01")
"""US dollars for one request."""
MARKETPLACE = "AWS Marketplace"
DIMENSIONS = ("SERVICE", "LINKED_ACCOUNT", "RECORD_TYPE", "INVOICING_ENTITY", "LEGAL_ENTITY_NAME")
"""What costs can be grouped by, beside tag keys; at most two at a time (API Reference,
GetCostAndUsage)."""
METRICS = ["UnblendedCost", "NetUnblendedCost"]
TRUE_FOR_FORECAST = timedelta(days=1)
"""It is of the days from today on, so tomorrow another one is asked for."""
MOST_TAGS = 1000
"""What one page of the list of tags may hold (API Reference, ListCostAllocationTags); 100 unless
asked for, and each page costs as much as a request."""

Granularity = Literal["DAILY", "MONTHLY"]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one group came to on one day or in one month; amounts in `currency`, exact."""

    start: date
    keys: tuple[str, ...]
    """One value for each thing asked for, in its order; '' for an absent tag."""
    currency: str
    unblended: Decimal
    net_unblended: Decimal
    is_estimated: bool
    """Whether AWS has not yet issued the invoice."""

    def amount(self, basis: str) -> Decimal:
        """The amount on a basis: 'unblended' or 'net'."""
        return self.net_unblended if basis == "net" else self.unblended


@dataclass(frozen=True, slots=True)
class Costs:
    """An answer of GetCostAndUsage."""

    rows: tuple[Cost, ...]
    asked_at: datetime
    problem: SourceProblem | None = None
    """Why it is old, if it is."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What Cost Explorer expects a month to come to; amounts in `currency`."""

    month: str
    currency: str
    spent: Decimal
    """Up to the day before the forecast was made."""
    expected: Decimal
    """From then to the month's end: mean, and the bounds that hold in four of five cases."""
    lower: Decimal
    upper: Decimal
    asked_at: datetime
    problem: SourceProblem | None = None

    @property
    def total(self) -> Decimal:
        """The whole month."""
        return self.spent + self.expected


@dataclass(frozen=True, slots=True)
class CostAllocationTag:
    """A tag key that AWS knows, as on the Cost allocation tags page."""

    key: str
    """With its prefix where it is an IAM principal's: 'iamPrincipal/team'."""
    is_active: bool
    updated_on: date | None
    """When it was last switched on or off."""
    used_on: date | None
    """The last month in which anything carried it."""


@dataclass(frozen=True, slots=True)
class CostAllocationTags:
    """An answer of ListCostAllocationTags."""

    tags: tuple[CostAllocationTag, ...]
    asked_at: datetime
    problem: SourceProblem | None = None
    """Why it is old, if it is."""


class CostExplorer:
    """Cost Explorer of the account whose credentials boto3 finds, or of the demo.

    Args:
        folder: where answers of this bill's account are kept.
        endpoint: AWS unless it is the demo's.
    """

    name = "Cost Explorer"

    def __init__(self, folder: Path, endpoint: Endpoint | AwsEndpoint | None = None) -> None:
        self._answers = BillingAnswers(folder, endpoint or AwsEndpoint())

    @property
    def requests_this_month(self) -> int:
        """Requests answered in this calendar month (UTC), a page each; kept answers are none."""
        return self._answers.requests(month_of(now()))

    @property
    def spent_this_month(self) -> Decimal:
        """What they cost, in US dollars. In demo mode nobody charges it."""
        return PRICE * self.requests_this_month

    def all_costs(  # noqa: PLR0913  (the API's own parameters)
        self,
        start: date,
        end: date,
        granularity: Granularity,
        by: Sequence[str],
        *,
        marketplace: bool | None = None,
        services: Sequence[str] | None = None,
    ) -> Costs:
        """Costs of all services in [start, end).

        Args:
            start: first day.
            end: day after the last.
            granularity: a row per day or per month.
            by: up to two of DIMENSIONS and tag keys ('iamPrincipal/team').
            marketplace: only what AWS Marketplace bills, only what it does not, or both.
            services: only these.

        Raises:
            SourceProblem: Cost Explorer does not answer, and never did.
        """
        parameters: dict[str, Any] = {
            "TimePeriod": _period(start, end),
            "Granularity": granularity,
            "Metrics": METRICS,
        }
        if by:
            parameters["GroupBy"] = [_group(key) for key in by]
        if condition := _filter(marketplace, services):
            parameters["Filter"] = condition
        answer = self._ask("GetCostAndUsage", parameters, end)
        return Costs(tuple(_costs(answer, by)), answer.asked_at, answer.problem)

    def bedrock_services(self, start: date, end: date) -> tuple[str, ...]:
        """The services that are Bedrock, by their names. Raises SourceProblem.

        AWS's own, and what AWS Marketplace sells: 'Claude Opus 5.5 (Amazon Bedrock Edition)'.
        """
        parameters = {
            "TimePeriod": _period(start, end),
            "Dimension": "SERVICE",
            "Context": "COST_AND_USAGE",
            "SearchString": "Bedrock",
        }
        answer = self._ask("GetDimensionValues", parameters, end)
        values = (value["Value"] for page in answer.pages for value in page["DimensionValues"])
        return tuple(dict.fromkeys(values))

    def bedrock_costs(
        self, start: date, end: date, granularity: Granularity, by: Sequence[str]
    ) -> Costs:
        """Costs of the Bedrock services in [start, end), tax apart; see `all_costs`.

        Cost Explorer shows tax as a service of its own. Raises SourceProblem.
        """
        services = self.bedrock_services(start, end)
        if not services:
            return Costs((), now())
        return self.all_costs(start, end, granularity, by, services=services)

    def by_seller(self, start: date, end: date, granularity: Granularity) -> tuple[Costs, Costs]:
        """What AWS and what AWS Marketplace bill, by service and record type; see `all_costs`.

        Both are asked by exactly this question, wherever it is needed: it is paid for once.
        """
        by = ("SERVICE", "RECORD_TYPE")
        aws = self.all_costs(start, end, granularity, by, marketplace=False)
        return aws, self.all_costs(start, end, granularity, by, marketplace=True)

    def forecast(self, today: date) -> Forecast:
        """What Bedrock will have cost by the end of today's month.

        What was spent is read out of the days by seller, which a reconciliation asks for as well.

        Raises:
            SourceProblem: Cost Explorer does not answer, or has too little to go by.
        """
        end = first_of_next(today)
        halves = self.by_seller(today.replace(day=1), end, "DAILY")
        costs = [row for half in halves for row in half.rows if "bedrock" in row.keys[0].lower()]
        services = tuple(dict.fromkeys(row.keys[0] for row in costs))
        parameters: dict[str, Any] = {
            "TimePeriod": _period(today, end),
            "Metric": "UNBLENDED_COST",
            "Granularity": "MONTHLY",
            "PredictionIntervalLevel": 80,
        }
        if condition := _filter(None, services or None):
            parameters["Filter"] = condition
        question = Question("ce", "GetCostForecast", parameters, "NextPageToken")
        answer = self._answers.ask(question, TRUE_FOR_FORECAST)
        [page] = answer.pages
        rows = page["ForecastResultsByTime"]
        return Forecast(
            month=month_of(today),
            currency=page["Total"]["Unit"],
            spent=sum((row.unblended for row in costs if row.start < today), ZERO),
            expected=Decimal(page["Total"]["Amount"]),
            lower=_sum(rows, "PredictionIntervalLowerBound"),
            upper=_sum(rows, "PredictionIntervalUpperBound"),
            asked_at=answer.asked_at,
            problem=answer.problem or halves[0].problem or halves[1].problem,
        )

    def cost_allocation_tags(self, oldest: timedelta) -> CostAllocationTags:
        """The tag keys that are or could be cost allocation tags; a request costs as any other.

        Args:
            oldest: how old an answer may be that is not asked for again.

        Raises:
            SourceProblem: Cost Explorer does not answer, and never did.
        """
        parameters = {"Type": "UserDefined", "MaxResults": MOST_TAGS}
        question = Question("ce", "ListCostAllocationTags", parameters, "NextToken")
        answer = self._answers.ask(question, oldest)
        tags = (_tag(tag) for page in answer.pages for tag in page["CostAllocationTags"])
        return CostAllocationTags(tuple(tags), answer.asked_at, answer.problem)

    def account(self) -> str:
        """The AWS account of the credentials that it is asked with. Raises SourceProblem."""
        return self._answers.account()

    def tag_values(self, key: str, start: date, end: date) -> tuple[str, ...]:
        """The values of a tag key seen in [start, end), '' for none. Raises SourceProblem."""
        parameters = {"TimePeriod": _period(start, end), "TagKey": key}
        answer = self._ask("GetTags", parameters, end)
        return tuple(dict.fromkeys(value for page in answer.pages for value in page["Tags"]))

    def _ask(self, operation: str, parameters: dict[str, Any], end: date) -> Answer:
        question = Question("ce", operation, parameters, "NextPageToken")
        return self._answers.ask(question, true_for(datetime.combine(end, time(), UTC)))


def _period(start: date, end: date) -> dict[str, str]:
    return {"Start": start.isoformat(), "End": end.isoformat()}


def _group(key: str) -> dict[str, str]:
    return {"Type": "DIMENSION" if key in DIMENSIONS else "TAG", "Key": key}


def _filter(marketplace: bool | None, services: Sequence[str] | None) -> dict[str, Any] | None:
    conditions: list[dict[str, Any]] = []
    if marketplace is not None:
        sold = {"Dimensions": {"Key": "BILLING_ENTITY", "Values": [MARKETPLACE]}}
        conditions.append(sold if marketplace else {"Not": sold})
    if services is not None:
        conditions.append({"Dimensions": {"Key": "SERVICE", "Values": list(services)}})
    return {"And": conditions} if len(conditions) > 1 else next(iter(conditions), None)


def _costs(answer: Answer, by: Sequence[str]) -> Iterator[Cost]:
    """A group's rows; a page may end in the middle of a day."""
    for page in answer.pages:
        for bucket in page["ResultsByTime"]:
            ungrouped = [{"Keys": [], "Metrics": bucket["Total"]}] if not by else []
            for group in bucket["Groups"] or ungrouped:
                yield _cost(bucket, group, by)


def _cost(bucket: dict[str, Any], group: dict[str, Any], by: Sequence[str]) -> Cost:
    unblended, net = (group["Metrics"][metric] for metric in METRICS)
    return Cost(
        start=date.fromisoformat(bucket["TimePeriod"]["Start"][:10]),
        keys=tuple(_value(key, text) for key, text in zip(by, group["Keys"], strict=True)),
        currency=unblended["Unit"],
        unblended=Decimal(unblended["Amount"]),
        net_unblended=Decimal(net["Amount"]),
        is_estimated=bucket["Estimated"],
    )


def _value(key: str, text: str) -> str:
    """A tag's group comes as its key, `$` and its value."""
    return text if key in DIMENSIONS else text.removeprefix(f"{key}$")


def _sum(rows: Sequence[dict[str, Any]], name: str) -> Decimal:
    return sum((Decimal(row[name]) for row in rows), ZERO)


def _tag(tag: dict[str, str]) -> CostAllocationTag:
    return CostAllocationTag(
        key=tag["TagKey"],
        is_active=tag["Status"] == "Active",
        updated_on=_day(tag.get("LastUpdatedDate")),
        used_on=_day(tag.get("LastUsedDate")),
    )


def _day(moment: str | None) -> date | None:
    return date.fromisoformat(moment[:10]) if moment else None
