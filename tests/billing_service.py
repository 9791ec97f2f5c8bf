"""AWS's billing APIs over a small demo bill, and the ways in which they can fail.

Other tests may import these fixtures; what they need is `billing`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from chargeback.demo import write_demo
from chargeback.demo.billing_api import BillingApi
from chargeback.demo.billing_bill import Refused
from chargeback.sources.billing.answers import Endpoint
from chargeback.sources.billing.cost_explorer import CostExplorer
from chargeback.sources.billing.invoices import Invoices

TODAY = date(2026, 11, 23)
NET_MONTH, CLOSED_MONTH, OPEN_MONTH = "2026-09", "2026-10", "2026-11"
"""Of the bill's four months: one with net costs, one with discounts as lines, and the newest."""
PAYER = "999988887777"
PAGE_SIZE = 25

Json = dict[str, Any]
IS_BEDROCK = """(
    bill_billing_entity = 'AWS' and line_item_product_code like '%Bedrock%'
    or bill_billing_entity = 'AWS Marketplace' and product['product_name'] like '%Bedrock%'
)"""
COST = "sum(cast(cast(line_item_unblended_cost as varchar) as decimal(38, 12)))"


class Bill(BillingApi):
    """The service of the demo, with what goes wrong in it."""

    def __init__(self, cur: Path) -> None:
        super().__init__(cur, PAGE_SIZE)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # no tracebacks
        self.cur = cur
        self.calls: list[str] = []
        self.reset()

    def reset(self) -> None:
        """Nothing goes wrong, nothing was asked."""
        self.calls.clear()
        self.refusals: list[Refused] = []
        """The errors with which the next requests are answered."""
        self.is_silent = False
        """Whether connections are closed without an answer."""
        self.documents: dict[str, bytes] = {}
        """What lies in the place of an invoice's document, by invoice."""
        self.change: Callable[[str, Json], Json] = lambda _, answer: answer
        """What becomes of an answer, given its operation, before it is sent."""

    def answer(self, target: str, request: Json) -> Json:
        operation = target.partition(".")[2]
        self.calls.append(operation)
        if self.is_silent:
            raise ConnectionAbortedError
        if self.refusals:
            raise self.refusals.pop(0)
        return self.change(operation, super().answer(target, request))

    def document(self, path: str) -> bytes:
        name = path.rpartition("/")[2].removesuffix(".pdf")
        return self.documents[name] if name in self.documents else super().document(path)

    def refuse(self, code: str, message: str = "", times: int = 100) -> None:
        """Answers the next requests with an error."""
        self.refusals += [Refused(code, message)] * times


@dataclass
class Billing:
    """The service, and the sources that ask it, with nothing kept yet."""

    service: Bill
    folder: Path

    @property
    def cost_explorer(self) -> CostExplorer:
        return CostExplorer(self.folder, Endpoint(self.service.url))

    @property
    def invoices(self) -> Invoices:
        return Invoices(self.folder, Endpoint(self.service.url))

    def ask(self, sql: str, *parameters: str) -> list[tuple[Any, ...]]:
        """Rows of a statement over `cur`, the export itself."""
        with duckdb.connect() as connection:
            files = str(self.service.cur / "*" / "data" / "*" / "*.parquet")
            bill = connection.read_parquet(files, hive_partitioning=True, union_by_name=True)
            bill.create_view("cur")
            return connection.execute(sql, parameters).fetchall()

    def cost(self, month: str, where: str = IS_BEDROCK) -> Decimal:
        """What lines of a month come to."""
        sql = f"select {COST} from cur where billing_period = ? and {where}"  # noqa: S608
        return self.ask(sql, month)[0][0] or Decimal()


@pytest.fixture(scope="session")
def billing_cur(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """August to November 2026; the two oldest months have net costs."""
    folder = tmp_path_factory.mktemp("billing") / "cur"
    write_demo(folder, today=TODAY, months=4, lines=2000)
    return folder


@pytest.fixture(scope="session")
def billing_service(billing_cur: Path) -> Iterator[Bill]:
    with Bill(billing_cur) as service:
        yield service


@pytest.fixture
def billing(
    billing_service: Bill, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Billing]:
    """The service and its sources; requests are tried once, so that failures are quick."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    billing_service.reset()
    yield Billing(billing_service, tmp_path / "answers")
    billing_service.reset()
