"""What AWS's billing APIs would say of a CUR bill: requests in, answers out, as JSON."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from chargeback import database, query

Json = dict[str, Any]
Row = dict[str, Any]

HOURS_BEHIND = timedelta(hours=10)
"""How much earlier than the bill's the data of the open month ends."""
MONTHS_BACK = 13
"""Cost Explorer serves 13 months and the current one (Cost Management User Guide, "Best practices
for the AWS Cost Explorer API")."""
FORECAST_DAYS = 14
"""Days whose mean is the forecast of a day."""
FORECAST_SPREAD = Decimal("0.08")
MOST_GROUPS = 2
ANSWERS_KEPT = 32
TEN_DECIMALS = Decimal("1e-10")
FILTERS = MappingProxyType(
    {
        "SERVICE": "services",
        "RECORD_TYPE": "record_types",
        "LINKED_ACCOUNT": "linked_accounts",
        "BILLING_ENTITY": "billing_entities",
    }
)
"""What can be filtered by, and its parameter in queries/demo/explorer_scope.sql."""
METRICS = MappingProxyType(
    {"UnblendedCost": "unblended_cost", "NetUnblendedCost": "net_unblended_cost"}
)
DIMENSIONS = ("SERVICE", "RECORD_TYPE", "LINKED_ACCOUNT", "INVOICING_ENTITY", "LEGAL_ENTITY_NAME")


class Refused(Exception):  # noqa: N818  (what AWS does with a request)
    """A request that AWS answers with an error of this code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class BillingBill:
    """A CUR 2.0 export, asked the way AWS's billing APIs are asked. Safe to share by threads."""

    def __init__(self, cur: Path, page_size: int, url: str) -> None:
        self._cur = cur
        self._page_size = page_size
        self.url = url
        """Where it is asked."""

    def cost_and_usage(self, request: Json) -> Json:
        """GetCostAndUsage."""
        groups = request.get("GroupBy", [])
        metrics = request["Metrics"]
        if len(groups) > MOST_GROUPS or not set(metrics) <= set(METRICS):
            raise Refused("ValidationException", "GroupBy or Metrics is not allowed")
        keys = [_group_key(group) for group in groups]
        first_key, second_key = (*keys, "", "")[:2]
        rows, more = self.page(
            request,
            self._ask(
                "demo/explorer_costs",
                request,
                granularity=request["Granularity"],
                first_key=first_key,
                second_key=second_key,
            ),
        )
        results = [
            _bucket(request, start, [row for row in rows if row["start_date"] == start], len(keys))
            for start in dict.fromkeys(row["start_date"] for row in rows)
        ]
        return {
            "GroupDefinitions": groups,
            "ResultsByTime": results,
            "DimensionValueAttributes": [],
            **more,
        }

    def dimension_values(self, request: Json) -> Json:
        """GetDimensionValues."""
        rows = self._ask(
            "demo/explorer_values",
            request,
            dimension=request["Dimension"],
            search_string=request.get("SearchString", ""),
        )
        page, more = self.page(request, rows)
        values = [{"Value": row["value"], "Attributes": {}} for row in page]
        return {"DimensionValues": values, "ReturnSize": len(page), "TotalSize": len(rows), **more}

    def tags(self, request: Json) -> Json:
        """GetTags: the keys, or the values of one key."""
        key = request.get("TagKey")
        found = self._ask("demo/explorer_tags", request)
        named = [row["tag_key"] for row in found]
        values = [row["tag_value"] for row in found if row["tag_key"] == key]
        rows = [{"text": text} for text in dict.fromkeys(named if key is None else values)]
        page, more = self.page(request, rows)
        texts = [row["text"] for row in page]
        return {"Tags": texts, "ReturnSize": len(page), "TotalSize": len(rows), **more}

    def cost_allocation_tags(self, request: Json) -> Json:
        """ListCostAllocationTags: a key on the bill was activated, else it would not be there."""
        newest, _ = self._newest()
        end = date.fromisoformat(f"{newest}-28") + timedelta(days=4)
        whole = {"TimePeriod": {"Start": _months_before(newest, MONTHS_BACK), "End": f"{end}"}}
        used: dict[str, tuple[date, date]] = {}
        for row in self._ask("demo/explorer_tags", whole):
            first, last = used.get(row["tag_key"], (row["first_used"], row["last_used"]))
            used[row["tag_key"]] = min(first, row["first_used"]), max(last, row["last_used"])
        rows = [
            {
                "TagKey": key,
                "Type": "UserDefined",
                "Status": "Active",
                "LastUpdatedDate": f"{first}T00:00:00Z",
                "LastUsedDate": f"{last:%Y-%m}-01T00:00:00Z",
            }
            for key, (first, last) in used.items()
        ]
        page, more = self.page(request, rows, "NextToken")
        return {"CostAllocationTags": page, **more}

    def cost_forecast(self, request: Json) -> Json:
        """GetCostForecast: the days to come cost what the last ones did on average."""
        start, end = _days(request)
        past = {"Start": f"{start - timedelta(days=FORECAST_DAYS)}", "End": f"{start}"}
        scope = {**request, "TimePeriod": past}
        rows = self._ask(
            "demo/explorer_costs", scope, granularity="DAILY", first_key="", second_key=""
        )
        if len(rows) < FORECAST_DAYS:
            raise Refused(
                "DataUnavailableException", "Insufficient amount of historical data to generate"
            )
        spent = sum((row["unblended_cost"] for row in rows), Decimal())
        mean = spent / FORECAST_DAYS * (end - start).days
        result = {
            "TimePeriod": request["TimePeriod"],
            "MeanValue": _text(mean),
            "PredictionIntervalLowerBound": _text(mean * (1 - FORECAST_SPREAD)),
            "PredictionIntervalUpperBound": _text(mean * (1 + FORECAST_SPREAD)),
        }
        total = {"Amount": _text(mean), "Unit": rows[0]["currency"]}
        return {"Total": total, "ForecastResultsByTime": [result]}

    def caller_identity(self, _: Json) -> Json:
        """GetCallerIdentity: the account that pays the newest bill."""
        newest, _known_until = self._newest()
        payer = self.run("cur/payers", {"billing_period": newest})[-1]["payer_account_id"]
        return {"Account": payer, "Arn": f"arn:aws:iam::{payer}:user/demo", "UserId": "demo"}

    def _ask(self, name: str, request: Json, **more: str) -> Sequence[Row]:
        """A statement over what a request's time and filter let through."""
        start, end = _days(request)
        newest, known_until = self._newest()
        if f"{start}" < _months_before(newest, MONTHS_BACK):
            raise Refused(
                "ValidationException", "You haven't enabled historical data beyond 14 months"
            )
        parameters: dict[str, Any] = {
            **_lists(request.get("Filter", {})),
            "start_date": f"{start}",
            "end_date": f"{end}",
            "newest_month": newest,
            "known_until": f"{known_until:%Y-%m-%d %H:%M:%S}",
        }
        return self.run(name, {**parameters, **more})

    def _newest(self) -> tuple[str, datetime]:
        """The open month, and when its data ends."""
        newest = self.run("demo/newest_usage", {})[0]
        return newest["billing_period"], newest["newest_usage"] - HOURS_BEHIND

    def months(self) -> list[str]:
        """The billing periods of the export, newest first."""
        return sorted({file.parent.name.partition("=")[2] for file in self._files()}, reverse=True)

    def run(self, name: str, parameters: Mapping[str, Any]) -> Sequence[Row]:
        """The rows of a statement over the export."""
        bound = tuple(
            (key, tuple(value) if isinstance(value, list) else value)
            for key, value in parameters.items()
        )
        written = tuple(file.stat().st_mtime_ns for file in self._files())
        return self._answer(name, bound, written)

    @cached_property
    def _answer(self) -> Callable[[str, tuple[tuple[str, Any], ...], object], Sequence[Row]]:
        """Runs a statement, once for all pages of an answer: until the bill is written again."""
        return lru_cache(ANSWERS_KEPT)(lambda name, bound, _: self._execute(name, dict(bound)))

    def _execute(self, name: str, parameters: dict[str, Any]) -> Sequence[Row]:
        with database.connect() as connection:
            files = [str(file) for file in self._files()]
            bill = connection.read_parquet(files, union_by_name=True, hive_partitioning=True)
            bill.create_view("cur")
            found = connection.execute(query.duckdb_sql(name), parameters)
            columns = [column[0].lower() for column in found.description or []]
            return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

    def _files(self) -> list[Path]:
        return sorted(self._cur.glob("*/data/*/*.parquet"))

    def page(
        self,
        request: Json,
        rows: Sequence[Row],
        token: str = "NextPageToken",  # noqa: S107
    ) -> tuple[Sequence[Row], Json]:
        """One page of the rows, and the token of the next where there is one."""
        question = {key: value for key, value in request.items() if key != token}
        fingerprint = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()
        start = _position(request[token], fingerprint) if token in request else 0
        end = start + min(request.get("MaxResults", self._page_size), self._page_size)
        if end >= len(rows):
            return rows[start:], {}
        mark = base64.b64encode(f"{fingerprint}:{end}".encode()).decode()
        return rows[start:end], {token: mark}


def _position(token: str, fingerprint: str) -> int:
    try:
        given, _, position = base64.b64decode(token, validate=True).decode().partition(":")
    except ValueError as error:
        raise Refused("InvalidNextTokenException", "The pagination token is invalid.") from error
    if given != fingerprint:
        raise Refused("RequestChangedException", "Your request parameters changed between pages.")
    return int(position)


def _days(request: Json) -> tuple[date, date]:
    period = request["TimePeriod"]
    start, end = (date.fromisoformat(period[name][:10]) for name in ("Start", "End"))
    if start >= end:
        raise Refused("ValidationException", "Start date (and hour) should be before end date")
    return start, end


def _months_before(month: str, months: int) -> str:
    number = int(month[:4]) * 12 + int(month[5:7]) - 1 - months
    return f"{number // 12}-{number % 12 + 1:02d}-01"


def _group_key(group: Json) -> str:
    key: str = group["Key"]
    if group["Type"] == "DIMENSION" and key not in DIMENSIONS:
        raise Refused("ValidationException", f"Group Definition dimension {key} is invalid")
    return key


def _lists(condition: Json) -> dict[str, list[str] | None]:
    """The parameters of queries/demo/explorer_scope.sql for a filter expression."""
    lists: dict[str, list[str] | None] = {}
    for parameter in FILTERS.values():
        lists |= {parameter: None, f"other_than_{parameter}": None}
    return lists | dict(_conditions(condition))


def _conditions(condition: Json) -> Iterator[tuple[str, list[str]]]:
    for part in condition.get("And", [condition] if condition else []):
        negated = part.get("Not", {})
        dimension = negated.get("Dimensions") or part.get("Dimensions")
        if not dimension or dimension["Key"] not in FILTERS:
            raise Refused("ValidationException", "This filter is not supported")
        prefix = "other_than_" if negated else ""
        yield f"{prefix}{FILTERS[dimension['Key']]}", dimension["Values"]


def _bucket(request: Json, start: date, rows: Sequence[Row], keys: int) -> Json:
    """One day or month of an answer."""
    asked_start, asked_end = _days(request)
    monthly = request["Granularity"] == "MONTHLY"
    end = date.fromisoformat(_months_before(f"{start}", -1)) if monthly else start + timedelta(1)
    groups = [
        {
            "Keys": [row["first_group"], row["second_group"]][:keys],
            "Metrics": {name: _amount(row, name) for name in request["Metrics"]},
        }
        for row in rows
    ]
    return {
        "TimePeriod": {"Start": f"{max(start, asked_start)}", "End": f"{min(end, asked_end)}"},
        "Total": {} if keys else groups[0]["Metrics"],
        "Groups": groups if keys else [],
        "Estimated": not all(row["invoiced"] for row in rows),
    }


def _amount(row: Row, metric: str) -> Json:
    return {"Amount": _text(row[METRICS[metric]]), "Unit": row["currency"]}


def _text(amount: Decimal) -> str:
    """An amount as Cost Explorer writes it: ten decimals at most."""
    text = f"{amount.quantize(TEN_DECIMALS):f}"
    return text.rstrip("0").rstrip(".") or "0"
