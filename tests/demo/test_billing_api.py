"""The demo's billing service speaks as AWS does: shapes, pages, tokens, refusals."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.model import ListShape, MapShape, Shape, StructureShape

from chargeback.sources.billing.answers import Endpoint, Service
from tests.billing_service import (
    CLOSED_MONTH,
    NET_MONTH,
    OPEN_MONTH,
    PAGE_SIZE,
    PAYER,
    Billing,
    billing,
    billing_cur,
    billing_service,
)

__all__ = ["billing", "billing_cur", "billing_service"]

OCTOBER = {"Start": "2026-10-01", "End": "2026-11-01"}
BOTH = ["UnblendedCost", "NetUnblendedCost"]
REQUESTS: dict[str, dict[str, Any]] = {
    "GetCostAndUsage": {
        "TimePeriod": OCTOBER,
        "Granularity": "MONTHLY",
        "Metrics": BOTH,
        "GroupBy": [
            {"Type": "DIMENSION", "Key": "SERVICE"},
            {"Type": "TAG", "Key": "iamPrincipal/team"},
        ],
    },
    "GetDimensionValues": {"TimePeriod": OCTOBER, "Dimension": "LEGAL_ENTITY_NAME"},
    "GetTags": {"TimePeriod": OCTOBER},
    "GetCostForecast": {
        "TimePeriod": {"Start": "2026-11-23", "End": "2026-12-01"},
        "Metric": "UNBLENDED_COST",
        "Granularity": "MONTHLY",
    },
    "ListCostAllocationTags": {},
    "ListInvoiceSummaries": {
        "Selector": {"ResourceType": "ACCOUNT_ID", "Value": PAYER},
        "Filter": {"BillingPeriod": {"Month": 10, "Year": 2026}},
    },
}
TARGETS = {"ListInvoiceSummaries": "Invoicing"}
SERVICES = {"ListInvoiceSummaries": "invoicing"}


def misfits(shape: Shape, value: object, at: str) -> Iterator[str]:
    """Where an answer is not what botocore's model of the service says."""
    if isinstance(shape, StructureShape):
        assert isinstance(value, dict), at
        yield from (f"{at}.{name} is unknown" for name in set(value) - set(shape.members))
        yield from (f"{at}.{name} is missing" for name in set(shape.required_members) - set(value))
        for name in set(value) & set(shape.members):
            yield from misfits(shape.members[name], value[name], f"{at}.{name}")
    elif isinstance(shape, ListShape):
        assert isinstance(value, list), at
        for item in value:
            yield from misfits(shape.member, item, f"{at}[]")
    elif isinstance(shape, MapShape):
        assert isinstance(value, dict), at
        for item in value.values():
            yield from misfits(shape.value, item, f"{at}{{}}")
    elif shape.type_name == "string":
        allowed, pattern = getattr(shape, "enum", None), shape.metadata.get("pattern")
        fits = isinstance(value, str) and (not allowed or value in allowed)
        if not fits or (pattern and not re.fullmatch(str(pattern), str(value))):
            yield f"{at} is {value!r}"
    elif not isinstance(value, {"boolean": bool, "integer": int}.get(shape.type_name, float)):
        yield f"{at} is {value!r}"


@pytest.mark.parametrize("operation", REQUESTS)
def test_answers_have_the_shape_that_aws_documents(billing: Billing, operation: str) -> None:
    service = SERVICES.get(operation, "ce")
    model = botocore.session.get_session().get_service_model(service)
    shape = model.operation_model(operation).output_shape
    target = f"{TARGETS.get(operation, 'AWSInsightsIndexService')}.{operation}"
    answer = billing.service.answer(target, REQUESTS[operation])
    assert shape
    assert list(misfits(shape, answer, operation)) == []
    assert any(answer.values())


def client(billing: Billing, service: Service = "ce") -> Any:  # noqa: ANN401  (boto3's)
    return Endpoint(billing.service.url).client(service)


def test_tag_groups_are_named_by_key_and_value(billing: Billing) -> None:
    answer = client(billing).get_cost_and_usage(
        TimePeriod=OCTOBER,
        Granularity="MONTHLY",
        Metrics=BOTH[:1],
        GroupBy=[{"Type": "TAG", "Key": "iamPrincipal/team"}],
    )
    [month] = answer["ResultsByTime"]
    keys = {key for group in month["Groups"] for key in group["Keys"]}
    assert {"iamPrincipal/team$", "iamPrincipal/team$checkout"} < keys
    assert month["TimePeriod"] == OCTOBER
    assert month["Total"] == {}


def test_tax_is_a_service_of_its_own(billing: Billing) -> None:
    answer = client(billing).get_cost_and_usage(
        TimePeriod=OCTOBER,
        Granularity="MONTHLY",
        Metrics=BOTH,
        GroupBy=[{"Type": "DIMENSION", "Key": "SERVICE"}],
        Filter={"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Tax"]}},
    )
    groups = answer["ResultsByTime"][0]["Groups"]
    tax = billing.cost(CLOSED_MONTH, "line_item_line_item_type = 'Tax'")
    assert [group["Keys"] for group in groups] == [["Tax"]]
    assert groups[0]["Metrics"]["UnblendedCost"] == {
        "Amount": f"{tax.normalize():f}",
        "Unit": "USD",
    }


def test_pages_follow_their_tokens_to_the_end(billing: Billing) -> None:
    days = {"Start": "2026-10-01", "End": "2026-10-03"}
    request = REQUESTS["GetCostAndUsage"] | {"Granularity": "DAILY", "TimePeriod": days}
    explorer = client(billing)
    answers = [explorer.get_cost_and_usage(**request)]
    while token := answers[-1].get("NextPageToken"):
        answers.append(explorer.get_cost_and_usage(**request, NextPageToken=token))
    assert len(answers) > 2
    sizes = [sum(len(day["Groups"]) for day in page["ResultsByTime"]) for page in answers]
    assert set(sizes[:-1]) == {PAGE_SIZE}
    assert 0 < sizes[-1] <= PAGE_SIZE


def test_lists_say_how_much_there_is(billing: Billing) -> None:
    request: dict[str, Any] = {"TimePeriod": OCTOBER, "Dimension": "SERVICE"}
    whole = client(billing).get_dimension_values(**request)
    part = client(billing).get_dimension_values(**request, MaxResults=2)
    assert (part["ReturnSize"], part["TotalSize"]) == (2, whole["TotalSize"])
    assert part["DimensionValues"] == whole["DimensionValues"][:2]
    assert whole["ReturnSize"] == whole["TotalSize"] == len(whole["DimensionValues"])


def test_invoices_come_through_boto3s_own_paginator(billing: Billing) -> None:
    pages = client(billing, "invoicing").get_paginator("list_invoice_summaries")
    request = REQUESTS["ListInvoiceSummaries"]
    found = list(pages.paginate(**request, PaginationConfig={"PageSize": 1}))
    assert [len(page["InvoiceSummaries"]) for page in found] == [1, 1]


def with_token_of_another_question(billing: Billing) -> None:
    request = REQUESTS["GetCostAndUsage"] | {"Granularity": "DAILY"}
    token = client(billing).get_cost_and_usage(**request)["NextPageToken"]
    client(billing).get_cost_and_usage(**request | {"Metrics": BOTH[:1]}, NextPageToken=token)


def with_token(billing: Billing) -> None:
    client(billing).get_cost_and_usage(**REQUESTS["GetCostAndUsage"], NextPageToken="nonsense")


def with_(**changes: object) -> Callable[[Billing], None]:
    def ask(billing: Billing) -> None:
        client(billing).get_cost_and_usage(**REQUESTS["GetCostAndUsage"] | changes)

    return ask


SERVICE = {"Type": "DIMENSION", "Key": "SERVICE"}


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (with_token_of_another_question, "RequestChangedException"),
        (with_token, "InvalidNextTokenException"),
        (with_(GroupBy=[SERVICE] * 3), "ValidationException"),
        (with_(GroupBy=[{"Type": "DIMENSION", "Key": "COLOUR"}]), "ValidationException"),
        (with_(Metrics=["Guesses"]), "ValidationException"),
        (with_(TimePeriod={"Start": "2026-10-01", "End": "2026-10-01"}), "ValidationException"),
        (with_(TimePeriod={"Start": "2025-09-01", "End": "2026-10-01"}), "ValidationException"),
        (with_(Filter={"Tags": {"Key": "app", "Values": ["x"]}}), "ValidationException"),
        (lambda billing: client(billing).get_anomaly_monitors(), "UnknownOperationException"),
    ],
)
def test_what_aws_refuses_is_refused(
    billing: Billing, ask: Callable[[Billing], None], code: str
) -> None:
    with pytest.raises(ClientError) as refused:
        ask(billing)
    assert refused.value.response["Error"]["Code"] == code


def test_only_closed_months_are_final(billing: Billing) -> None:
    answer = client(billing).get_cost_and_usage(
        TimePeriod={"Start": "2026-08-01", "End": "2026-12-01"},
        Granularity="MONTHLY",
        Metrics=BOTH,
    )
    months = {m["TimePeriod"]["Start"][:7]: m["Estimated"] for m in answer["ResultsByTime"]}
    assert months == {"2026-08": False, NET_MONTH: False, CLOSED_MONTH: False, OPEN_MONTH: True}


def test_the_service_listens_on_this_computer_only(billing: Billing) -> None:
    assert billing.service.url.startswith("http://127.0.0.1:")
