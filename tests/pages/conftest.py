"""A small demo bill, the app over it, and its figures summed without the program's statements."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from chargeback.billing_period import today
from chargeback.demo import write_demo
from chargeback.ui import page_context, reading

APP = str(Path(__file__).resolve().parents[2] / "app.py")
PAGES = sorted((Path(APP).parent / "pages").glob("*.py"))
RUN_SECONDS = 120
"""The first run reads the bill."""

START_PAGE = "overview"
COMPONENT = "chargeback.table"

OpenPage = Callable[..., AppTest]

BEDROCK_LINES = """
    CREATE VIEW bedrock AS
    SELECT *, CAST(CAST(
        CASE
            WHEN bool_or(line_item_line_item_type = 'EdpDiscount') OVER period
                THEN line_item_unblended_cost
            ELSE COALESCE(line_item_net_unblended_cost, line_item_unblended_cost)
        END AS VARCHAR) AS DECIMAL(38, 12)) AS cost
    FROM read_parquet(getvariable('files'), hive_partitioning = true, union_by_name = true)
    WHERE (bill_billing_entity = 'AWS' AND line_item_product_code LIKE '%Bedrock%')
       OR (bill_billing_entity = 'AWS Marketplace' AND product['product_name'] LIKE '%Bedrock%')
    WINDOW period AS (PARTITION BY billing_period)
"""


@dataclass(frozen=True)
class Bill:
    """A CUR 2.0 export on disk and the spend store that the app keeps of it."""

    cur: Path
    store: Path

    def ask(self, sql: str, *parameters: str) -> list[tuple[Any, ...]]:
        """Rows of a statement over `bedrock`: the export's Bedrock lines with their exact cost."""
        with duckdb.connect() as connection:
            files = str(self.cur / "*" / "data" / "*" / "*.parquet")
            connection.execute("SET VARIABLE files = $files", {"files": files})
            connection.execute(BEDROCK_LINES)
            return connection.execute(sql, parameters).fetchall()

    def total(self, month: str, where: str = "TRUE") -> Decimal:
        """What the lines of a month that satisfy `where` cost."""
        sql = f"SELECT SUM(cost) FROM bedrock WHERE billing_period = ? AND {where}"  # noqa: S608
        return self.ask(sql, month)[0][0] or Decimal()


Row = dict[Hashable, Any]
Drawn = dict[str, Any]
"""A table as it is sent to the browser."""


def tables(app: AppTest) -> list[Drawn]:
    """The tables of a page, from top to bottom."""
    components = [element.proto for element in app.get("bidi_component")]
    return [json.loads(each.json) for each in components if each.component_name == COMPONENT]


def drawn(app: AppTest, what: str) -> Drawn:
    """The table of this name."""
    (found,) = (each for each in tables(app) if each["what"] == what)
    return found


def table(app: AppTest, what: str) -> list[Row]:
    """The rows of the table of this name, numbers as numbers."""
    return rows(drawn(app, what))


def rows(drawn: Drawn) -> list[Row]:
    """The rows of a table, the total left out; numbers as numbers, all else as it is shown."""
    cells = [
        [_number(value) for value in column["values"]] if column["numeric"] else column["texts"]
        for column in drawn["columns"]
    ]
    names = [column["name"] for column in drawn["columns"]]
    return [dict(zip(names, row, strict=True)) for row in zip(*cells, strict=True)]


def total(drawn: Drawn) -> dict[str, Decimal | None]:
    """The numbers in the last row of a table."""
    columns = drawn["columns"]
    return {each["name"]: _number(each["totalValue"]) for each in columns if each["numeric"]}


def _number(value: str | int | None) -> Decimal | None:
    return None if value is None else Decimal(value)


@pytest.fixture(scope="session")
def bill(tmp_path_factory: pytest.TempPathFactory) -> Bill:
    """September to November 2026, about two thousand lines a month."""
    folder = tmp_path_factory.mktemp("bill")
    write_demo(folder / "cur", today=date(2026, 11, 23), months=3, lines=2000)
    return Bill(folder / "cur", folder / "store")


@pytest.fixture(scope="session")
def open_bill(tmp_path_factory: pytest.TempPathFactory) -> Bill:
    """Last month and this one, so that the newest month is not over."""
    folder = tmp_path_factory.mktemp("open")
    write_demo(folder / "cur", today=today(), months=2, lines=400)
    return Bill(folder / "cur", folder / "store")


def settled(app: AppTest) -> AppTest:
    """The page once nothing newer is being read: in a browser it draws itself anew then."""
    if any(said.value.startswith((reading.LOOKING, reading.READING)) for said in app.caption):
        assert page_context.live_bill().wait(RUN_SECONDS)
        app.run()
    return app


@dataclass
class Shown:
    """Pages of the bill that all tests share and none changes, by address and environment."""

    environment: tuple[tuple[str, str], ...] = ()
    """In which the app's caches were filled."""
    pages: dict[str, tuple[AppTest, object]] = field(default_factory=dict)
    """With what each showed: a page that a test used since shows something else."""

    hashes: dict[str, str] = field(default_factory=dict)
    """By which the app knows its pages, as soon as it has run."""

    def untouched(self, address: str) -> AppTest | None:
        app, tree = self.pages.get(address, (None, None))
        return app if app is not None and app._tree is tree else None


@pytest.fixture(scope="session")
def shown() -> Shown:
    return Shown()


def surroundings() -> tuple[tuple[str, str], ...]:
    """What of the environment decides what the app shows."""
    ours = ("CHARGEBACK_", "AWS_")
    return tuple(sorted(item for item in os.environ.items() if item[0].startswith(ours)))


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch, bill: Bill, shown: Shown) -> OpenPage:
    """Opens a page (`overview`, `tenants`, …) as its address would: `open_page(page, month=…)`.

    Only of the bill that is shared caches are kept from one test to the next, and a page that was
    opened and not used since is not opened again.
    """
    shared = bill

    def open_it(page: str, /, *, bill: Bill = bill, **parameters: str | list[str]) -> AppTest:
        monkeypatch.setenv("CHARGEBACK_CUR", str(bill.cur))
        monkeypatch.setenv("CHARGEBACK_STORE", str(bill.store))
        address = repr((page, sorted(parameters.items())))
        environment = surroundings()
        if bill is not shared or environment != shown.environment:
            st.cache_resource.clear()
            st.cache_data.clear()
            shown.pages.clear()
            shown.environment = environment
        elif (known := shown.untouched(address)) is not None:
            return known
        if page != START_PAGE and page not in shown.hashes:
            app = AppTest.from_file(APP, default_timeout=RUN_SECONDS).run()
            for file in PAGES:
                shown.hashes[file.stem] = app.switch_page(f"pages/{file.name}")._page_hash
        app = AppTest.from_file(APP, default_timeout=RUN_SECONDS)
        app.query_params.update(parameters)
        if page != START_PAGE:  # at once, as a browser that is given an address
            app._page_hash = shown.hashes[page]
        settled(app.run())
        assert not app.exception
        if bill is shared:
            shown.pages[address] = (app, app._tree)
        return app

    return open_it
