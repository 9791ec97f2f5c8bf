"""The single CUR lines behind a figure, read from the bill itself."""

from __future__ import annotations

from datetime import date
from decimal import Context, Decimal
from typing import Any

import pandas as pd

from chargeback.access.rows import EVERYTHING
from chargeback.attribution.folded import role_of_session
from chargeback.attribution.gateways import NAMED_BY_SDK
from chargeback.attribution.principal import read_principal
from chargeback.bedrock.token_units import is_unnamed
from chargeback.enrichment.bill import billed_cost
from chargeback.errors import UsageProblem
from chargeback.reports.answers import Answers
from chargeback.reports.ranking import CALLERS, rank, unit_count
from chargeback.reports.view import View
from chargeback.sources.base import Source
from chargeback.sources.products import product_keys

LINES_PAGE = 200
MOST_CALLERS = 100_000
"""Of whom single lines are looked for; each line of the bill is compared with each of them."""
_PRICE = Context(prec=6)
"""AWS rounds what a line costs: more digits of the quotient would be noise."""


def cur_lines(
    answers: Answers, source: Source, view: View, usage_date: date | None, page: int
) -> pd.DataFrame:
    """The CUR lines behind a view, newest first, LINES_PAGE to a page (the first is 0).

    Columns: those of queries/cur/lines.sql; cost, the amount on the bill; unit_price, the cost of
    one of `pricing_unit`, None without an amount; unit, what one is in words.

    Raises:
        SourceProblem: the source can't be read now.
        UsageProblem: the view is too wide to be asked of the source.
    """
    _check_callers(answers, view)
    keys = answers.ask("line_keys", "daily", view)
    sizes = dict(zip(keys["meter"].to_pylist(), keys["tokens_per_unit"].to_pylist(), strict=True))
    manifest = answers.manifest(view.month)
    table = source.lines(
        {
            "billing_period": view.month,
            "products": product_keys(manifest.products),
            "exports": manifest.exports,
            "identities": sorted(set(keys["identity"].to_pylist())),
            **_folded_sessions(answers, view.month),
            "meters": sorted(set(keys["meter"].to_pylist())),
            "usage_date": usage_date.isoformat() if usage_date else None,
            "page_start": page * LINES_PAGE,
            "page_size": LINES_PAGE,
        }
    )
    rows = table.to_pylist()
    net_payers = set(answers.bill(view.month).net_payers)
    for row in rows:
        is_net = f"{row['payer_account_id']}|{row['currency']}" in net_payers
        row["cost"] = billed_cost(row, is_net=is_net)
        row["unit_price"] = _unit_price(row["cost"], row["usage_amount"])
        row["unit"] = _unit(row["pricing_unit"], sizes[_meter(row)])
    return pd.DataFrame(rows, columns=[*table.column_names, "cost", "unit_price", "unit"])


def _folded_sessions(answers: Answers, month: str) -> dict[str, Any]:
    """What tells which lines of the bill are those of sessions that are kept as one.

    All of a role's that are not kept as billed, whoever looks: with some left out, their lines
    would be taken for those of others.
    """
    folded = answers.manifest(month).folded
    principals = folded.principals if folded else ()
    roles = sorted({read_principal(each).group for each in principals})
    whole = View.of_month(month, EVERYTHING)
    kept: list[str] = []
    if roles:
        found = answers.ask("kept_sessions", "monthly", whole, roles=roles)
        kept = sorted(found["iam_principal"].to_pylist())
    return {
        "folded_roles": sorted({role_of_session(each) for each in principals}),
        "kept_sessions": kept,
        "named_by_sdk": f"^{NAMED_BY_SDK.pattern}$",
    }


def _check_callers(answers: Answers, view: View) -> None:
    if answers.manifest(view.month).rows_kept <= MOST_CALLERS:
        return
    callers = unit_count(rank(answers, view, CALLERS))
    if callers > MOST_CALLERS:
        raise UsageProblem(
            f"This number stands for {callers:,} callers, too many to list its single lines.",
            "The figures themselves are not affected.",
            "Go one level deeper, for example to one caller, and list them there.",
        )


def _unit_price(cost: Decimal, amount: Decimal | None) -> Decimal | None:
    return _PRICE.divide(cost, amount) if amount else None


def _unit(pricing_unit: str, tokens: float | None) -> str:
    """AWS Marketplace's `Units` say no size; what the bill was read with does."""
    if not tokens or not is_unnamed(pricing_unit):
        return pricing_unit
    return f"{pricing_unit} of {int(tokens):,} tokens"


def _meter(row: dict[str, Any]) -> str:
    """As queries/reports/line_keys.sql writes it."""
    names = ("product_code", "usage_type", "operation", "line_item_type", "region", "currency")
    return "|".join(row[name] for name in names)
