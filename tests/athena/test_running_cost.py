"""What the program costs: the calculation against what was asked, and scanned, on a day of use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from chargeback.billing_period import month_of, previous_month, today
from chargeback.cli.main import main
from chargeback.demo import write_demo
from chargeback.demo.billing_api import BillingApi
from chargeback.demo.export import EXPORT_NAME
from chargeback.doctor.running_cost import MIDDLE, BillSize, asked_in_a_month
from chargeback.settings import load_settings
from chargeback.sources.athena.table import AthenaTable
from chargeback.ui.page_context import live_bill
from chargeback.workspace import Workspace
from tests.athena.conftest import SETTINGS, TABLE, Athena, by_environment
from tests.athena.results import UNLOAD_FILES
from tests.athena.server import BUCKET, DDL, REGION
from tests.doctor.test_examine import make_old
from tests.pages.conftest import APP, PAGES, RUN_SECONDS

DATABASE = "running"
"""Of this file alone: services of one process share what lies in Glue."""
EXPORT = "running/exports"
CHARGED = ("GetCostAndUsage", "GetCostForecast", "GetDimensionValues", "ListCostAllocationTags")
A_DAY = replace(
    MIDDLE,
    days=1,
    deliveries=1,
    month_end=1,
    setups=1,
    commands=1,
    line_lists=0,
    workers=UNLOAD_FILES,
    is_ledger_in_s3=False,
)
OpenPage = Callable[..., AppTest]


class Billed(BillingApi):
    """The billing APIs, which count what is paid for."""

    def __init__(self, cur: Path) -> None:
        super().__init__(cur, page_size=5000)
        self.paid = 0

    def answer(self, target: str, request: dict[str, Any]) -> dict[str, Any]:
        self.paid += target.partition(".")[2] in CHARGED
        return super().answer(target, request)


@pytest.fixture(params=[2])
def billed(
    athena: Athena,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Billed]:
    """All of AWS for a bill of so many months up to today; nothing is read of it yet."""
    cur = tmp_path / "cur"
    write_demo(cur, today=today(), months=request.param, lines=150)
    athena.service.tables[f"{DATABASE}.{TABLE}"] = cur
    export = cur / EXPORT_NAME
    for file in (*export.glob("data/*/*"), *export.glob("metadata/*/*")):  # the manifest last
        key = f"{EXPORT}/{file.relative_to(export).as_posix()}"
        athena.service.s3.put_object(Bucket=BUCKET, Key=key, Body=file.read_bytes())
    location = {"Location": f"s3://{BUCKET}/{EXPORT}/data/"}
    glue = boto3.client("glue", region_name=REGION)
    glue.create_database(DatabaseInput={"Name": DATABASE})
    glue.create_table(
        DatabaseName=DATABASE, TableInput={"Name": TABLE, "StorageDescriptor": location}
    )
    store = f"s3://{BUCKET}/running/store/"
    settings = SETTINGS.model_copy(update={"database": DATABASE, "store_location": store})
    environment = by_environment(settings, tmp_path / "store")
    environment["CHARGEBACK_LEDGER"] = str(tmp_path / "ledger")
    monkeypatch.setattr(AthenaTable, "recheck_seconds", 10**9)  # only `an_hour_later` ends an hour
    monkeypatch.chdir(tmp_path)
    st.cache_resource.clear()
    st.cache_data.clear()
    with Billed(cur) as service:
        for name in ("COST_EXPLORER", "INVOICING", "STS", "BCM_DATA_EXPORTS"):
            environment[f"AWS_ENDPOINT_URL_{name}"] = service.url
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield service
    glue.delete_table(DatabaseName=DATABASE, Name=TABLE)
    glue.delete_database(Name=DATABASE)
    del athena.service.tables[f"{DATABASE}.{TABLE}"]


@pytest.fixture
def open_page(billed: Billed) -> OpenPage:
    """Draws a page as its address would."""
    del billed
    hashes: dict[str, str] = {}

    def open_it(page: str, **parameters: str) -> AppTest:
        app = AppTest.from_file(APP, default_timeout=RUN_SECONDS)
        app.query_params.update(parameters)
        if page != "overview":
            app._page_hash = hashes[page]
        app.run()
        assert not app.exception
        assert not app.error
        assert live_bill().wait(RUN_SECONDS)  # the source is asked in the background
        if not hashes:
            for file in PAGES:
                hashes[file.stem] = app.switch_page(f"pages/{file.name}")._page_hash
        return app

    return open_it


def an_hour_later() -> None:
    """What a server remembers of whether the bill is newer is forgotten after an hour."""
    live_bill()._looked_in = -1


def asked(athena: Athena, *words: str) -> int:
    return len(athena.reading(*words))


def scanned(athena: Athena) -> int:
    return sum(query.bytes_scanned for query in athena.queries)


def sizes_below(athena: Athena, prefix: str) -> list[int]:
    """Bytes of the objects whose names begin so."""
    found = athena.service.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
    return [item["Size"] for item in found["Contents"]]


def test_a_day_costs_what_is_calculated(
    athena: Athena, billed: Billed, open_page: OpenPage
) -> None:
    open_page("overview")  # finds a delivery of both months
    open_page("tenants")
    open_page("reconciliation")
    open_page("reconciliation")
    an_hour_later()
    open_page("reconciliation", month=previous_month(month_of(today())))
    open_page("setup")
    assert main(["refresh"]) == 0
    an_hour_later()
    workspace = Workspace(load_settings())
    make_old(workspace, timedelta(hours=9))
    open_page("reconciliation")

    stored = workspace.store.periods(workspace.source.source_id)
    daily = sum(period.manifest.bytes_scanned for period in stored)
    size = BillSize(delivered=0, scanned=daily * 3 // 2 // 2, kept=0)
    of = replace(A_DAY, bill=size, months=2, hours=3, rewritten=Decimal(2))
    found = asked_in_a_month(of, is_store_in_athena=False)
    looks, columns, products, spend, _ = (each.number for each in found.queries)
    assert looks == asked(athena, "file_modified_time") == 6
    assert columns == asked(athena, "LIMIT 0") == 1
    assert products == asked(athena, "candidates") == 2
    assert spend == asked(athena, "UNLOAD") == 2
    assert looks + columns + products + spend == len(athena.queries)
    calculated = sum(each.number * each.bytes_each for each in found.queries)
    assert Decimal("0.8") < Decimal(scanned(athena)) / calculated < Decimal("1.25")
    assert found.cost_explorer == billed.paid == 8
    calls = athena.service.calls
    assert found.s3.writes == calls["ListObjects"] + calls["PutObject"]
    assert found.s3.reads == calls["GetObject"] + calls["HeadObject"]
    here = workspace.athena_costs.of(month_of(today()))
    assert (here.queries, here.bytes_scanned) == (len(athena.queries), scanned(athena))


def test_a_month_is_so_many_days() -> None:
    day = replace(A_DAY, bill=BillSize(0, 9 * 10**9, 10**6), rewritten=Decimal(2))
    month = replace(day, days=22, month_end=22, setups=22, commands=22)
    for is_in_athena in (False, True):
        one, many = (asked_in_a_month(of, is_store_in_athena=is_in_athena) for of in (day, month))
        assert [22 * each.number for each in one.queries] == [each.number for each in many.queries]
        assert many.athena_dollars == 22 * one.athena_dollars
        assert many.cost_explorer == 22 * one.cost_explorer > 0
        assert many.s3 == one.s3 * 22


@pytest.mark.parametrize("billed", [1], indirect=True)
def test_a_store_in_athena_costs_what_is_calculated_at_most(
    athena: Athena, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHARGEBACK_STORE", "athena")
    views = ("overview", "tenants", "models", "principals", "teams")
    for page in views:  # the first finds a delivery
        open_page(page)
    an_hour_later()
    open_page("overview")

    [kept] = sizes_below(athena, "running/store/chargeback_spend")
    of = replace(
        A_DAY,
        bill=BillSize(delivered=0, scanned=0, kept=kept),
        months=1,
        hours=2,
        rewritten=Decimal(1),
        setups=0,
        commands=0,
        pages=len(views) + 1,
        views=len(views),
    )
    found = asked_in_a_month(of, is_store_in_athena=True)
    looks, columns, products, spend, *store = (
        each.number for each in found.queries if each.what != "single CUR lines"
    )
    assert looks == asked(athena, "file_modified_time") == 3
    assert columns == asked(athena, "LIMIT 0") == 1
    assert products == asked(athena, "candidates") == 1
    assert spend == asked(athena, 'INSERT INTO "running"."chargeback_spend') == 1
    counted = [query for query in athena.queries if not query.sql.startswith(DDL)]
    reading = looks + columns + products + spend
    assert sum(store) / 2 < len(counted) - reading <= sum(store)
    reused = [query.reuse.get("ResultReuseByAgeConfiguration", {}) for query in counted]
    ages = {each["MaxAgeInMinutes"] for each in reused if each.get("Enabled")}
    assert min(ages) >= 8 * 60  # a view is paid for once between two deliveries
    calculated = sum(each.number * each.bytes_each for each in found.queries)
    assert calculated / 2 < scanned(athena) <= calculated
    calls = athena.service.calls
    assert found.s3.writes / 2 < calls["ListObjects"] + calls["PutObject"] <= found.s3.writes
    assert found.s3.reads / 4 < calls["GetObject"] + calls["HeadObject"] <= found.s3.reads
