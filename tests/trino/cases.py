"""With what parameters each statement of queries/ runs on both engines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from chargeback.access.rows import EVERYTHING, Rows
from chargeback.demo.company import PAYER as PAYING
from chargeback.dimensions import BY_NAME, CHARGED, WITH_SOURCE
from chargeback.reports.view import View

TODAY = date(2026, 11, 20)
MONTHS = ("2026-08", "2026-09", "2026-10", "2026-11")
"""The oldest has net costs, the newest is open (chargeback.demo)."""
NO_MONTH = "2020-01"
PREVIOUS, MONTH = MONTHS[1], MONTHS[2]
OPEN_MONTH = MONTHS[3]

PAYER = PAYING.id
PRODUCTS = [f"{PAYER}|AmazonEC2", f"{PAYER}|AmazonS3", "o'payer|product"]
"""What the demo bill has beside Bedrock, as if a line had shown it to be Bedrock."""

VIEWS = {
    "all": View(MONTH, "USD", EVERYTHING),
    "open month": View(OPEN_MONTH, "USD", EVERYTHING),
    "first days": View(OPEN_MONTH, "USD", EVERYTHING, days=12),
    "one tenant": View(MONTH, "USD", EVERYTHING, (("tenant", ("株式会社サクラ",)),)),
    "quotes": View(
        MONTH, "USD", EVERYTHING, (("tenant", ("O'Reilly, Inc.", "<b>Globex</b>", "none such")),)
    ),
    "unallocated": View(MONTH, "USD", EVERYTHING, (("iam_principal", ("(unallocated)",)),)),
    "two levels": View(
        MONTH, "USD", EVERYTHING, (("team", ("checkout", "support")), ("region", ("us-east-1",)))
    ),
    "nothing": View(MONTH, "USD", EVERYTHING, (("team", ("checkout",)), ("team", ("support",)))),
    "another currency": View(MONTH, "EUR", EVERYTHING),
    "all currencies": View.of_month(MONTH, EVERYTHING),
    "a reader of one tenant": View(MONTH, "USD", Rows((("tenant", ("acme-corp",)),))),
}

NAMED = [
    "(unallocated)",
    "acme-corp",
    "O'Reilly, Inc.",
    "株式会社サクラ",
    "checkout",
    "111122223333",
    "Anthropic",
    "Claude Sonnet 4.6",
    "input",
    "on-demand",
    "us-east-1",
]
"""Units of every dimension."""
CALLERS = ["(unallocated)", "arn:aws:iam::111122223333:role/llm-gateway"]
SESSIONS = ["arn:aws:sts::111122223333:assumed-role/llm-gateway/acme-corp"]


FILTERS = ("services", "record_types", "linked_accounts", "billing_entities")
EXPLORER = {
    **dict.fromkeys((*FILTERS, *(f"other_than_{name}" for name in FILTERS))),
    "start_date": f"{PREVIOUS}-15",
    "end_date": f"{OPEN_MONTH}-21",
    "newest_month": OPEN_MONTH,
    "known_until": f"{OPEN_MONTH}-19 12:00:00",
}
"""The parameters of demo/explorer_scope that let all charges of these days through."""
SOME_CHARGES = {
    **EXPLORER,
    "services": ["Amazon Bedrock Service", "Amazon Bedrock", "Tax"],
    "other_than_record_types": ["Credit", "Refund"],
}


@dataclass(frozen=True)
class Case:
    """One run of one statement."""

    label: str
    parameters: dict[str, Any]
    rows: str = ""
    """The relation that it reads as `enriched`."""
    may_be_empty: bool = False
    """Whether comparing no rows is a comparison all the same."""


def _bill(*months: str) -> Iterator[Case]:
    for month in months:
        yield Case(month, {"billing_period": month, "products": []}, may_be_empty=month == NO_MONTH)


def _with_products(*months: str) -> Iterator[Case]:
    yield from _bill(*months)
    yield Case("more products", {"billing_period": MONTH, "products": PRODUCTS})


def _rules() -> Iterator[Case]:
    for excluded in ([], ["AmazonBedrock", "o'product"]):
        for net_payers in ([], [f"{PAYER}|USD", "another|EUR"]):
            parameters = {"excluded": excluded, "net_payers": net_payers, "reads_resources": 0}
            yield Case(f"without {len(excluded)}, net {len(net_payers)}", parameters)


def _identities() -> Iterator[Case]:
    for reads, dated in ((0, 0), (1, 0), (0, 1)):
        parameters = {"reads_resources": reads, "is_dated": dated}
        yield Case(f"resources {reads}, dated {dated}", parameters)


def _views(rows: str, **more: object) -> Iterator[Case]:
    for label, view in VIEWS.items():
        grain = "daily" if view.days else rows
        narrow = bool(view.where or view.rows.only) or view.currency not in ("USD", "")
        parameters = {**view.parameters(), "first_month": PREVIOUS, **more}
        yield Case(label, parameters, grain, may_be_empty=narrow)


def _undated() -> Iterator[Case]:
    """All usage of the first days of a month has a day."""
    for case in _views("daily"):
        dated = case.parameters["days"] is not None
        yield replace(case, may_be_empty=case.may_be_empty or dated)


def _dimensions(rows: str, **more: object) -> Iterator[Case]:
    for dimension in BY_NAME:
        parameters = {**VIEWS["all"].parameters(), "first_month": MONTHS[0], **more}
        yield Case(f"by {dimension}", {**parameters, "dimension": dimension}, rows)
    yield from _views(rows, dimension="team", **more)


def _attributed(rows: str, **more: object) -> Iterator[Case]:
    """By dimension and by what can move spend: the same, another, or none."""
    for dimension, attributed in (("team", "team"), ("model", "tenant"), ("account", "")):
        parameters = {**VIEWS["all"].parameters(), "first_month": PREVIOUS, **more}
        parameters |= {"dimension": dimension, "attributed": attributed}
        label = f"by {dimension} within {attributed or 'none'} {more.get('told', '')}"
        yield Case(label, {**parameters, "previous_month": PREVIOUS}, rows, may_be_empty=True)


def _months(rows: str, **more: object) -> Iterator[Case]:
    for month in (MONTHS[0], MONTH, OPEN_MONTH):
        parameters = View.of_month(month, EVERYTHING).parameters()
        yield Case(month, {**parameters, **more}, rows)
    reader = VIEWS["a reader of one tenant"].parameters()
    yield Case("a reader of one tenant", {**reader, **more}, rows, may_be_empty=True)


def _sources() -> Iterator[Case]:
    for dimension in WITH_SOURCE:
        yield from _views("monthly", dimension=dimension.name)


def _unallocated(**more: object) -> Iterator[Case]:
    for dimension in WITH_SOURCE:
        parameters = {**VIEWS["all"].since(MONTHS[0]).parameters(), **more}
        yield Case(
            f"by {dimension.name} {' '.join(map(str, more.values()))}",
            {**parameters, "dimension": dimension.name},
            "monthly",
            may_be_empty=True,
        )


def _unallocated_callers() -> Iterator[Case]:
    for reason in ("tax", "no-tag", "gateway", "o'reason"):
        yield from _unallocated(reason=reason, longest=None if reason == "tax" else 2)


def _charges() -> Iterator[Case]:
    for dimension in CHARGED.values():
        yield from _months("monthly", dimension=dimension.name)


def _unit_parts() -> Iterator[Case]:
    for part in ("principal", "model", "token_type"):
        yield from _months("monthly", dimension="tenant", part=part, longest=3)


def _explorer(**more: object) -> Iterator[Case]:
    for label, parameters in (("all charges", EXPLORER), ("some charges", SOME_CHARGES)):
        yield Case(f"{label} {' '.join(map(str, more.values()))}", {**parameters, **more})


def _groups() -> Iterator[Case]:
    for first in ("", "SERVICE", "RECORD_TYPE", "LEGAL_ENTITY_NAME", "iamPrincipal/tenant"):
        yield from _explorer(granularity="MONTHLY", first_key=first, second_key="LINKED_ACCOUNT")
    yield from _explorer(granularity="DAILY", first_key="INVOICING_ENTITY", second_key="")


def _values() -> Iterator[Case]:
    for dimension in ("SERVICE", "RECORD_TYPE", "LINKED_ACCOUNT", "LEGAL_ENTITY_NAME"):
        yield from _explorer(dimension=dimension, search_string="")
    yield from _explorer(dimension="SERVICE", search_string="BEDROCK")


def _since() -> Iterator[Case]:
    for since in (None, f"{MONTH}-20"):
        parameters = {**VIEWS["all"].parameters(), "since": since}
        yield Case(f"since {since}", parameters, "daily")


def _allocation() -> Iterator[Case]:
    for columns in ([], ["iam_principal", "team"], ["legal_entity", "product_code", "region"]):
        for month in (MONTHS[0], MONTH):
            view = View.of_month(month, EVERYTHING).parameters()
            parameters = {**view, "dimension": "tenant", "columns": columns}
            yield Case(f"{month} {len(columns)}", parameters, "monthly")


def _restated() -> Iterator[Case]:
    for columns in ([], ["model", "team", "cost_center"]):
        for month in (MONTHS[0], MONTH):
            view = View.of_month(month, EVERYTHING).parameters()
            parameters = {**view, "dimension": "tenant", "columns": columns}
            yield Case(f"{month} {len(columns)}", parameters, "daily")


def _changed() -> Iterator[Case]:
    for columns in ([], ["payer_account_id", "region", "usage_type", "iam_principal"]):
        yield Case(f"{len(columns)} columns", {"columns": columns})


def _usage_days() -> Iterator[Case]:
    for dates in ([], [f"{PREVIOUS}-28", f"{MONTH}-05", f"{MONTH}-31"]):
        yield from _dimensions("daily", dates=dates)


def _elsewhere() -> Iterator[Case]:
    view = VIEWS["all"].since(MONTHS[0])
    for month in MONTHS[1:]:
        parameters = {**view.parameters(), "month": MONTHS[-1], "dated_in": month}
        yield Case(f"dated in {month}", parameters, "daily", may_be_empty=True)


_WHOLE = [Case("whole", {})]

_MADE: dict[str, Iterable[Case]] = {
    "cur/bedrock": _with_products(MONTHS[0], OPEN_MONTH),
    "cur/columns": [Case("names", {}, may_be_empty=True)],
    "cur/daily_spend": _with_products(*MONTHS, NO_MONTH),
    "demo/explorer_charges": _explorer(),
    "demo/explorer_costs": _groups(),
    "demo/explorer_scope": _explorer(),
    "demo/explorer_tags": _explorer(),
    "demo/explorer_values": _values(),
    "cur/facts": _with_products(MONTHS[0], OPEN_MONTH),
    "demo/invoice_totals": _bill(*MONTHS[:-1]),
    "demo/newest_usage": _WHOLE,
    "cur/payers": _bill(*MONTHS, NO_MONTH),
    "cur/products": _bill(*MONTHS, NO_MONTH),
    "cur/totals": _with_products(*MONTHS, NO_MONTH),
    "reports/allocation_lines": _allocation(),
    "reports/attributed": _dimensions("monthly"),
    "reports/bill_by_product": _since(),
    "reports/billed_elsewhere": _elsewhere(),
    "reports/by_unit": _dimensions("monthly"),
    "reports/by_caller": _attributed("monthly"),
    "reports/cache_use": _views("daily"),
    "reports/caller_days": _attributed(
        "daily", principals=CALLERS, sessions=SESSIONS, named=NAMED, inside=None
    ),
    "reports/charges": _charges(),
    "reports/day_table": _views("daily"),
    "reports/days": _dimensions("daily", named=NAMED),
    "reports/deciding_sources": _sources(),
    "reports/detail": _months("daily"),
    "reports/disagreements": _unallocated(),
    "reports/focus": _months("daily", dimension="tenant"),
    "reports/gateways": _dimensions("monthly"),
    "reports/history": _views("monthly"),
    "reports/internal_use": _views("monthly", dimension="tenant"),
    "reports/invoice_charges": _months("daily"),
    "reports/invoice_totals": _months("daily"),
    "reports/kept_sessions": [
        Case("sessions of a role", {**VIEWS["all"].parameters(), "roles": CALLERS}, "monthly"),
    ],
    "reports/leading_units": _dimensions("monthly", longest=3),
    "reports/line_keys": _views("daily"),
    "reports/month_to_date": _views("daily", complete_days=19),
    "reports/movement": [
        *_attributed("monthly", named=NAMED, inside=None, told=3),
        *_attributed("monthly", named=NAMED, inside=["checkout", "(unallocated)"], told=50),
    ],
    "reports/moves": _attributed("monthly"),
    "reports/ranking": _dimensions("monthly", previous_month=PREVIOUS),
    "reports/restatement_lines": _restated(),
    "reports/scope": _views("monthly"),
    "reports/caller_ranking": [
        *_views("monthly", previous_month=PREVIOUS, longest=3, named=None),
        *_views("monthly", previous_month=PREVIOUS, longest=3, named=SESSIONS),
    ],
    "reports/top_models": [
        *_dimensions("monthly", named=None),
        *_views("monthly", dimension="iam_principal", named=SESSIONS),
    ],
    "reports/undated": _undated(),
    "reports/unit_parts": _unit_parts(),
    "reports/units": _dimensions("monthly"),
    "reports/unrecognised": _views("monthly"),
    "reports/usage_days": _usage_days(),
    "reports/usage_mix": _views("monthly"),
    "reports/tag_sets": _views("daily"),
    "reports/tags_seen": _months("daily"),
    "reports/unallocated": _unallocated(),
    "reports/unallocated_callers": _unallocated_callers(),
    "reports/unallocated_reasons": _unallocated(),
    "restatement/changed_lines": _changed(),
    "restatement/compared_lines": _WHOLE,
    "store/billed": _rules(),
    "store/billed_by_identity": _rules(),
    "store/callers": _WHOLE,
    "store/contents": _WHOLE,
    "store/folded": _WHOLE,
    "store/folded_totals": _WHOLE,
    "store/folds": [
        Case(f"above {above}", {"above": above}, may_be_empty=above > 1) for above in (1, 100)
    ],
    "store/identities": _identities(),
    "store/identity_costs": _identities(),
    "store/daily": _rules(),
    "store/meters": _WHOLE,
    "store/monthly": (Case("daily rows", {}, "daily"),),
    "store/daily_callers": (Case("daily rows", {}, "daily"),),
    "store/monthly_principals": (Case("monthly rows", {}, "monthly"),),
    "store/kinds_of_tokens": (Case("daily rows", {}, "daily"),),
    "store/payers": _rules(),
    "store/sessions": [
        Case(f"resources {reads}", {"above": 1, "reads_resources": reads}) for reads in (0, 1)
    ],
    "store/usage_by_tags": _WHOLE,
}
CASES = {name: tuple(cases) for name, cases in _MADE.items()}
"""Of each statement, by its name."""
