"""A bill read through Athena: the same figures, one query a month, and at what price."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from chargeback.access.rows import EVERYTHING
from chargeback.demo import write_demo
from chargeback.reports.charges import detail, invoice_totals
from chargeback.reports.movement import movement
from chargeback.reports.ranking import filter_options
from chargeback.reports.view import View
from chargeback.settings import Settings
from chargeback.sources.athena.costs import LEAST_BYTES, AthenaCosts, Spent, price
from chargeback.sources.athena.table import AthenaTable
from chargeback.sources.base import StoreKnowledge
from chargeback.sources.cur2 import result_schema
from chargeback.sources.local.files import LocalFiles
from chargeback.sources.products import product_keys
from chargeback.workspace import Workspace
from tests.athena.conftest import TODAY, Athena, by_environment, cli, republish
from tests.athena.failures import Fate
from tests.athena.server import PAGE_ROWS
from tests.bills import NONE_FOLDED, exported, whole

MONTHS = ["2026-11", "2026-10", "2026-09"]
PERIODS, COLUMNS, UNLOAD = "$file_modified_time", "LIMIT 0", "UNLOAD"
"""What each kind of statement contains."""
OF_THE_SOURCE = {"source", "engine", "query_ids"}
"""What the manifests of the same export say differently."""


def workspace(athena: Athena, store: Path) -> Workspace:
    return Workspace(Settings(athena=athena.settings, store=store))


@pytest.fixture(scope="session")
def from_files(athena_cur: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = Workspace(Settings(cur=athena_cur, store=tmp_path_factory.mktemp("files")))
    made.refresh()
    return made


def rest_of(manifest: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(manifest.read_text("utf-8"))
    return {name: value for name, value in content.items() if name not in OF_THE_SOURCE}


@pytest.mark.parametrize("by", ["tenant", "principal"])
def test_an_export_is_the_one_made_from_the_files_byte_for_byte(
    by: str, athena: Athena, read_store: Path, from_files: Workspace, tmp_path: Path
) -> None:
    from_athena = workspace(athena, read_store).answers()
    for month in MONTHS:
        through = exported(from_athena, whole(month), by, TODAY, tmp_path / "athena")
        direct = exported(from_files.answers(), whole(month), by, TODAY, tmp_path / "files")
        assert through.statement.read_bytes() == direct.statement.read_bytes()
        assert through.detail.read_bytes() == direct.detail.read_bytes()
        assert rest_of(through.manifest) == rest_of(direct.manifest)
        said = json.loads(through.manifest.read_text("utf-8"))
        assert (said["source"], said["engine"]) == ("CUR 2.0 table", "Athena")
        assert len(said["query_ids"]) == 1
    assert athena.queries == []


def test_the_command_line_asks_once_a_month_and_once_for_changes(
    athena: Athena, tmp_path: Path
) -> None:
    store, out = tmp_path / "store", str(tmp_path / "out")
    ran = cli(athena.settings, store, "refresh")
    assert (ran.returncode, ran.stdout) == (0, f"Read {', '.join(sorted(MONTHS))}.\n"), ran.stderr
    months = sorted(q.parameters[0] for q in athena.reading(UNLOAD))
    assert months == [f"'{month}'" for month in sorted(MONTHS)]
    assert [len(athena.reading(words)) for words in (PERIODS, COLUMNS)] == [1, 1]
    asked = len(athena.queries)
    assert asked == len(MONTHS) * len(["its products", "its lines"]) + 2
    ran = cli(
        athena.settings, store, "export", "--month", MONTHS[1], "--by", "tenant", "--out", out
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert len(athena.queries) == asked + 1
    assert PERIODS in athena.queries[-1].sql
    of_one_month = [q for q in athena.queries if "billing_period = ?" in q.sql]
    assert len(of_one_month) == len(MONTHS) * 2
    assert {q.workgroup for q in athena.queries} == {athena.settings.workgroup}
    assert {q.state for q in athena.queries} == {"SUCCEEDED"}


def test_a_query_is_waited_for_while_it_is_queued_and_while_it_runs(athena: Athena) -> None:
    athena.service.shows_states = True
    assert [period.billing_period for period in AthenaTable(athena.settings).periods()] == MONTHS
    assert athena.queries[0].states == ["QUEUED", "RUNNING", "SUCCEEDED"]


def test_reports_ask_nothing(athena: Athena, read_store: Path) -> None:
    answers = workspace(athena, read_store).answers()
    for month in MONTHS:
        view = View(month, "USD", EVERYTHING)
        assert detail(answers, whole(month)).read_all().num_rows > 0
        assert invoice_totals(answers, whole(month)).num_rows > 0
        assert filter_options(answers, View(month, "USD", EVERYTHING))["tenant"]
        assert movement(answers, view.narrowed("team", "search"))
    assert athena.queries == []


def test_only_a_month_that_aws_wrote_again_is_read_again(
    athena: Athena, store: Path, tmp_path: Path
) -> None:
    athena.service.tables["billing.cur2"] = republish(athena.cur, tmp_path / "cur", MONTHS[0])
    assert workspace(athena, store).refresh() == [MONTHS[0]]
    [unload] = athena.reading(UNLOAD)
    assert unload.parameters[0] == f"'{MONTHS[0]}'"
    assert workspace(athena, store).refresh() == []
    assert len(athena.reading(UNLOAD)) == 1


def test_a_query_scans_the_columns_it_needs_of_its_month(athena: Athena, tmp_path: Path) -> None:
    w = workspace(athena, tmp_path / "store")
    w.refresh(MONTHS[1])
    [unload] = athena.reading(UNLOAD)
    [file] = athena.cur.glob(f"*/data/BILLING_PERIOD={MONTHS[1]}/*.parquet")
    assert 0 < unload.bytes_scanned < file.stat().st_size
    assert athena.reading(PERIODS)[0].bytes_scanned == athena.reading(COLUMNS)[0].bytes_scanned == 0
    manifest = w.answers().manifest(MONTHS[1])
    assert (manifest.bytes_scanned, manifest.query_ids) == (unload.bytes_scanned, (unload.id,))


@pytest.mark.parametrize(
    ("scanned", "dollars"),
    [
        (0, "0.0000476837158203125"),
        (LEAST_BYTES + 1024**2, "0.00005245208740234375"),
        (1024**4, "5"),
        (3 * 1024**4, "15"),
    ],
)
def test_a_query_costs_five_dollars_a_terabyte_and_ten_megabytes_at_least(
    scanned: int, dollars: str
) -> None:
    assert price(scanned) == Decimal(dollars)


def test_what_queries_cost_is_counted_by_month(athena: Athena, tmp_path: Path) -> None:
    costs = AthenaCosts(tmp_path)
    AthenaTable(athena.settings, costs).periods()
    AthenaTable(athena.settings, AthenaCosts(tmp_path)).extract(
        MONTHS[0], tmp_path / "spend", StoreKnowledge()
    )
    asked = [(query.bytes_scanned, price(query.bytes_scanned)) for query in athena.queries]
    month = f"{datetime.now(UTC):%Y-%m}"
    assert costs.of(month) == Spent(
        queries=len(asked),
        bytes_scanned=sum(scanned for scanned, _ in asked),
        dollars=sum((dollars for _, dollars in asked), Decimal()),
    )
    assert costs.of("2020-01") == Spent()


def test_what_is_free_is_not_counted(athena: Athena, from_files: Workspace, tmp_path: Path) -> None:
    costs = AthenaCosts(tmp_path)
    table, parameters = AthenaTable(athena.settings, costs), line_parameters(from_files, MONTHS[0])
    table.periods()
    for _ in range(3):
        table.lines(parameters)
    free = [query for query in athena.queries if query.reused]
    assert len(free) == 2
    assert costs.of(f"{datetime.now(UTC):%Y-%m}").queries == len(athena.queries) - len(free)


def test_a_count_that_can_not_be_kept_stops_no_query(athena: Athena, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    costs = AthenaCosts(tmp_path / "file")
    assert AthenaTable(athena.settings, costs).periods()
    assert costs.of(f"{datetime.now(UTC):%Y-%m}") == Spent()


def test_the_price_of_each_query_is_logged(
    athena: Athena, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="chargeback"):
        AthenaTable(athena.settings).periods()
    [query_] = athena.queries
    assert caplog.messages == [f"Athena query {query_.id}: 0 bytes, $0.00005"]


@pytest.mark.parametrize("one_for_all", [True, False])
def test_endpoints_are_those_of_boto3s_environment(
    one_for_all: bool, athena: Athena, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if not one_for_all:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # where nobody listens
        monkeypatch.setenv("AWS_ENDPOINT_URL_ATHENA", athena.endpoint)
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", athena.endpoint)
    assert workspace(athena, tmp_path / "store").refresh(MONTHS[0]) == [MONTHS[0]]
    assert athena.service.calls["GetObject"] > 1  # the data manifest and the files


def test_results_lie_where_the_settings_say(athena: Athena, tmp_path: Path) -> None:
    own = f"s3://{athena.bucket}/own/"
    given = athena.settings.model_copy(update={"s3_staging_dir": own})
    AthenaTable(given).extract(MONTHS[0], tmp_path / "spend.parquet", StoreKnowledge())
    assert {q.output for q in athena.queries} == {own}
    assert f"TO '{own}unload/" in athena.reading(UNLOAD)[0].sql


def test_a_month_without_bedrock_is_read_too(athena: Athena, tmp_path: Path) -> None:
    out = tmp_path / "spend.parquet"
    AthenaTable(athena.settings).extract(
        "2020-01", out, StoreKnowledge()
    )  # UNLOAD has no row and writes no file
    rows = parquet.read_table(out)
    assert (rows.num_rows, rows.schema) == (0, result_schema("daily_spend"))


# The single lines behind a number.


def line_parameters(from_files: Workspace, month: str, **more: object) -> dict[str, Any]:
    keys = from_files.answers().ask("line_keys", "daily", View(month, "USD", EVERYTHING))
    return {
        "billing_period": month,
        "products": product_keys(from_files.answers().manifest(month).products),
        "identities": sorted(set(keys["identity"].to_pylist())),
        "meters": sorted(set(keys["meter"].to_pylist())),
        **NONE_FOLDED,
        "usage_date": None,
        "page_start": 0,
        "page_size": 50,
    } | more


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"page_start": 50},
        {"usage_date": "2026-10-08"},
        {"page_size": PAGE_ROWS + 400},  # more than a page of Athena's own
    ],
    ids=str,
)
def test_lines_are_those_of_the_files(
    more: dict[str, object], athena: Athena, from_files: Workspace
) -> None:
    parameters = line_parameters(from_files, MONTHS[1], **more)
    through = AthenaTable(athena.settings).lines(parameters)
    assert "billing_period = ?" in athena.queries[-1].sql
    assert through.num_rows > 0
    assert through.equals(LocalFiles(athena.cur).lines(parameters))


def test_hostile_tags_are_text_like_any_other(athena: Athena, from_files: Workspace) -> None:
    everyone = line_parameters(from_files, MONTHS[1], page_size=PAGE_ROWS)
    hostile = [one for one in everyone["identities"] if any(c in one for c in "'<=") or "ü" in one]
    assert len(hostile) > 1
    parameters = everyone | {"identities": hostile}
    through = AthenaTable(athena.settings).lines(parameters)
    assert 0 < through.num_rows < PAGE_ROWS
    assert through.equals(LocalFiles(athena.cur).lines(parameters))


def test_a_page_of_lines_is_scanned_for_once_until_aws_writes_again(
    athena: Athena, from_files: Workspace, tmp_path: Path
) -> None:
    table = AthenaTable(athena.settings)
    first = line_parameters(from_files, MONTHS[0])
    second, one_day = first | {"page_start": 50}, first | {"usage_date": "2026-11-08"}

    def reused(parameters: dict[str, Any]) -> bool:
        table.lines(parameters)
        assert athena.queries[-1].reused == (athena.queries[-1].bytes_scanned == 0)
        return athena.queries[-1].reused

    table.periods()
    pages = (first, second, one_day, first)
    assert [reused(page) for page in pages] == [False, False, False, True]
    athena.service.tables["billing.cur2"] = republish(athena.cur, tmp_path / "cur", MONTHS[0])
    table.periods()
    assert not reused(first)


# A few at a time, and all of them stopped.


def test_a_stopped_refresh_cancels_the_few_queries_that_run(athena: Athena, tmp_path: Path) -> None:
    write_demo(tmp_path / "cur", today=date(2026, 11, 23), months=6, lines=200)
    settings = athena.add_table("six_months", tmp_path / "cur")
    athena.failures.plan(Fate("ENDLESS", UNLOAD))
    process = subprocess.Popen(
        [sys.executable, "-m", "chargeback", "refresh"],
        env=by_environment(settings, tmp_path / "store"),
        stderr=subprocess.PIPE,
        text=True,
    )
    athena.service.await_running(UNLOAD, AthenaTable.parallel)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert (process.returncode, said) == (
        1,
        "chargeback: Stopped; what was read before still applies.\n",
    )
    assert athena.ends(UNLOAD) == ["CANCELLED"] * AthenaTable.parallel
    assert list((tmp_path / "store" / "versions").iterdir()) == []


def test_a_refresh_that_its_page_gives_up_cancels_its_queries(
    athena: Athena, tmp_path: Path
) -> None:
    class GivenUp(BaseException):
        """Like what Streamlit raises in a script that is to end."""

    def show(month: str, done: int, of: int) -> None:
        athena.service.await_running(UNLOAD, of)
        raise GivenUp

    athena.failures.plan(Fate("ENDLESS", UNLOAD))
    with pytest.raises(GivenUp):
        workspace(athena, tmp_path / "store").refresh(progress=show)
    assert athena.ends(UNLOAD) == ["CANCELLED"] * len(MONTHS)
