"""A statement as it was closed, kept as JSON: what it charged, and how that came about."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from chargeback.access.rows import Rows
from chargeback.billing_period import UtcMoment
from chargeback.notices import Notice
from chargeback.reports.view import View
from chargeback.statement.allocation import Allocation, Move
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.build import Charge, Statement
from chargeback.statement.documents import CloseNote, DocumentSet

CHARGES, MOVES = TypeAdapter(tuple[Charge, ...]), TypeAdapter(tuple[Move, ...])


class _Direct(BaseModel):
    """What a unit's own lines come to in each column, exact."""

    currency: str
    unit: str
    amounts: dict[str, Decimal]


class FrozenStatement(BaseModel):
    """All of a Statement but whose eyes it is for."""

    model_config = ConfigDict(frozen=True)

    schema_version: int = 1
    billing_period: str
    period_status: str
    data_as_of: UtcMoment
    bill_to_type: str
    charges: tuple[dict[str, Any], ...]
    bill: dict[str, Decimal]
    direct: tuple[_Direct, ...]
    settings: AllocationSettings
    moves: tuple[dict[str, Any], ...]
    notices: tuple[Notice, ...]
    methodology: str
    documents: DocumentSet
    closed: CloseNote


def freeze(statement: Statement) -> bytes:
    """A statement with documents, as JSON with every digit."""
    if statement.documents is None or statement.closed is None:
        raise ValueError("only what is being closed is frozen")
    frozen = FrozenStatement(
        billing_period=statement.billing_period,
        period_status=statement.period_status,
        data_as_of=statement.data_as_of,
        bill_to_type=statement.bill_to_type,
        charges=tuple(map(asdict, statement.charges)),
        bill=statement.bill,
        direct=tuple(
            _Direct(currency=currency, unit=unit, amounts=dict(amounts))
            for (currency, unit), amounts in sorted(statement.direct.items())
        ),
        settings=statement.settings,
        moves=tuple(map(asdict, statement.allocation.moves)),
        notices=statement.notices,
        methodology=statement.methodology,
        documents=statement.documents,
        closed=statement.closed,
    )
    return frozen.model_dump_json(by_alias=True).encode()


def thaw(content: bytes, rows: Rows) -> Statement:
    """The statement that was frozen, for a reader who may see these rows."""
    frozen = FrozenStatement.model_validate_json(content)
    return Statement(
        view=View.of_month(frozen.billing_period, rows),
        period_status=frozen.period_status,
        data_as_of=frozen.data_as_of,
        bill_to_type=frozen.bill_to_type,
        charges=CHARGES.validate_python(frozen.charges),
        bill=frozen.bill,
        direct={(each.currency, each.unit): each.amounts for each in frozen.direct},
        settings=frozen.settings,
        allocation=Allocation(MOVES.validate_python(frozen.moves)),
        notices=frozen.notices,
        methodology=frozen.methodology,
        documents=frozen.documents,
        closed=frozen.closed,
    )
