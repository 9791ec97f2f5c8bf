"""Kinds of principals, and the gateways among them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, TypedDict

import pandas as pd

from chargeback.money import share_of
from chargeback.reports.answers import Answers
from chargeback.reports.frames import frame_of
from chargeback.reports.view import View

GATEWAYS: Final = "gateways"
PRINCIPAL_TYPES: Final[Mapping[str, frozenset[str]]] = {
    "people": frozenset({"SSO user", "IAM user", "federated user", "root"}),
    "applications": frozenset(
        {
            "role",
            "role session",
            "EC2 instance",
            "EKS pod",
            "ECS task",
            "Lambda function",
            "AWS service",
        }
    ),
    "api-keys": frozenset({"Bedrock API key"}),
}
"""The types of each kind of principal."""
KINDS: Final = (*PRINCIPAL_TYPES, GATEWAYS)
"""Gateways are roles, and no applications: no principal is of two kinds."""


class Gateway(TypedDict):
    """A role through which many callers come; amounts in the view's currency."""

    principal: str
    name: str
    account: str
    cost: Decimal
    named_cost: Decimal
    """Of the lines that name a unit of the dimension."""
    unnamed_cost: Decimal
    named_share: Decimal | None
    """None where the cost is zero."""
    callers: int
    """Sessions."""
    named_callers: int


def gateways(answers: Answers, view: View, dimension: str) -> pd.DataFrame:
    """The view's Gateways, largest first."""
    rows = answers.ask("gateways", view.grain, view, dimension=dimension).to_pylist()
    for row in rows:
        row["unnamed_cost"] = row["cost"] - row["named_cost"]
        row["named_share"] = share_of(row["named_cost"], row["cost"])
    return frame_of(Gateway, rows)


def of_kind(ranking: pd.DataFrame, kind: str, gateway_roles: pd.Series[str]) -> pd.DataFrame:
    """The rows of a ranking of principals that are of a kind.

    Args:
        ranking: by principal.
        kind: one of KINDS.
        gateway_roles: the ARNs of gateways.
    """
    is_gateway = ranking["unit"].isin(gateway_roles)
    if kind == GATEWAYS:
        return ranking[is_gateway].reset_index(drop=True)
    is_of_type = ranking["principal_type"].isin(PRINCIPAL_TYPES[kind])
    return ranking[is_of_type & ~is_gateway].reset_index(drop=True)
