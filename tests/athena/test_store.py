"""The spend store in Athena: the same answers as the one on disk, replaced safely."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from chargeback import query
from chargeback.access.rows import EVERYTHING
from chargeback.enrichment.delivery import delivery_comparison
from chargeback.enrichment.local import RULES_KEPT
from chargeback.enrichment.tables import Grain
from chargeback.errors import SourceProblem
from chargeback.money import exact_sum
from chargeback.reports.answers import Answers
from chargeback.reports.period_status import ties
from chargeback.reports.ranking import rank
from chargeback.reports.usage_mix import usage_mix
from chargeback.reports.view import View
from chargeback.settings import Settings
from chargeback.sources.athena.settings import AthenaSettings
from chargeback.sources.athena.table import AthenaTable
from chargeback.sources.base import Extract
from chargeback.sources.cur2 import result_schema
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.restated_lines import UNCHANGED
from chargeback.statement.restatement import restate
from chargeback.store.athena.objects import StoreObjects
from chargeback.store.athena.store import AthenaStore
from chargeback.store.base import Refresh
from chargeback.workspace import Workspace
from tests.athena.conftest import SETTINGS, TODAY, Athena, by_environment, lead_to, republish
from tests.athena.failures import Fate, Refusal
from tests.athena.server import BUCKET, AthenaService
from tests.bills import exported, whole
from tests.trino.cases import CASES

MONTHS = ["2026-11", "2026-10", "2026-09"]
NEWEST = MONTHS[0]
REPORTS = sorted(name for name in CASES if name.startswith("reports/"))
CASES_EACH = 2
"""How many cases of each statement; Trino's tests run them all."""
SPEND, DAILY, MONTHLY = (
    f'INSERT INTO "billing"."chargeback_{t}' for t in ("spend", "daily", "monthly")
)


def kept_at(folder: str) -> AthenaSettings:
    return SETTINGS.model_copy(update={"store_location": f"s3://{BUCKET}/{folder}"})


def program(settings: AthenaSettings, **more: Any) -> Workspace:  # noqa: ANN401  (settings)
    """A program of its own: it shares nothing with another but Athena, S3 and the folder."""
    return Workspace(Settings(athena=settings, store="athena", **more))


@pytest.fixture(scope="session")
def read_there(
    athena_service: AthenaService, tmp_path_factory: pytest.TempPathFactory
) -> AthenaSettings:
    """A store in Athena that was read once. Ask it, don't change it."""
    folder = tmp_path_factory.mktemp("there")
    with pytest.MonkeyPatch.context() as environment:
        lead_to(athena_service.endpoint, environment, folder / "nothing")
        environment.chdir(folder)
        made = program(kept_at("read"))
        made.refresh()
        made.answers()
    athena_service.reset()
    return kept_at("read")


@pytest.fixture
def there(
    athena: Athena, read_there: AthenaSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Answers:
    """The reports of a program that comes to a store that was read."""
    monkeypatch.chdir(tmp_path)
    made = program(read_there).answers()
    assert athena.queries == []
    return made


@pytest.fixture
def here(athena: Athena, read_store: Path) -> Answers:
    """The reports of the same bill from a store on disk."""
    return Workspace(Settings(athena=athena.settings, store=read_store)).answers()


@pytest.fixture
def empty(athena: Athena, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AthenaSettings:
    """A place for a store of this test's own."""
    monkeypatch.chdir(tmp_path)
    return kept_at(f"{tmp_path.name}/")


@pytest.fixture
def newest_there(empty: AthenaSettings) -> AthenaSettings:
    """A store of this test's own that holds the newest month."""
    assert program(empty).refresh(NEWEST) == [NEWEST]
    return empty


def test_one_bill_on_disk_and_in_athena_is_no_restatement(here: Answers, there: Answers) -> None:
    asked = AllocationSettings(tax="usage", credit="usage")
    for closed, now in ((here, there), (there, here)):
        found = restate(closed, now, whole(MONTHS[1]), "tenant", asked)
        assert {each.cause for each in found.charges} == {UNCHANGED}
        assert exact_sum(each.closed_amount for each in found.charges) == exact_sum(
            here.bill(MONTHS[1]).totals.values()
        )


def kept(athena: Athena, settings: AthenaSettings) -> set[str]:
    """The objects of a store, by name below its location."""
    folder = str(settings.store_location).removeprefix(f"s3://{BUCKET}/").rstrip("/") + "/"
    found = athena.service.s3.list_objects_v2(Bucket=BUCKET, Prefix=folder).get("Contents", [])
    return {item["Key"].removeprefix(folder) for item in found}


def versions(athena: Athena, settings: AthenaSettings, kind: str) -> set[str]:
    """The versions of a table: those with files, which must be those that the table knows."""
    files = {name.split("/")[2] for name in kept(athena, settings) if f"_{kind}_" in name}
    place = f"{str(settings.store_location).rstrip('/')}/"
    tables = athena.service.external.tables
    known = {
        f"version={version}"
        for name, table in tables.items()
        if f"_{kind}_" in name and table.location.startswith(place)
        for _, version in table.partitions
    }
    assert files == known
    return files


def cells(table: pa.Table) -> Counter[tuple[Any, ...]]:
    """Rows without their order; neither have the months of a ranking's history any."""
    return Counter(
        tuple(
            frozenset(str(value).split(",")) if name == "history" else value
            for name, value in row.items()
        )
        for row in table.to_pylist()
    )


# The same answers.


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_has_the_rows_of_the_store_on_disk(
    name: str, there: Answers, here: Answers
) -> None:
    tree = query.load(name)
    for case in islice(CASES[name], CASES_EACH):
        takes = query.parameters(tree)
        parameters = {key: value for key, value in case.parameters.items() if key in takes}
        grain: Grain = "monthly" if case.rows == "monthly" else "daily"
        short = name.removeprefix("reports/")
        mine, theirs = (r.tables.answer(short, grain, parameters) for r in (there, here))
        assert mine.schema == theirs.schema
        assert cells(mine) == cells(theirs)
        if tree.args.get("order") and "history" not in mine.column_names:
            assert mine == theirs


def test_rankings_come_in_the_same_order(there: Answers, here: Answers) -> None:
    for dimension in ("tenant", "principal"):
        mine, theirs = (rank(r, View(NEWEST, "USD", EVERYTHING), dimension) for r in (there, here))
        assert mine.equals(theirs)
        assert len(mine) > 1


@pytest.mark.parametrize("by", ["tenant", "principal"])
def test_an_export_is_the_one_of_the_store_on_disk_byte_for_byte(
    by: str, there: Answers, here: Answers, tmp_path: Path
) -> None:
    for month in MONTHS:
        mine = exported(there, whole(month), by, TODAY, tmp_path / "there")
        theirs = exported(here, whole(month), by, TODAY, tmp_path / "here")
        assert mine.statement.read_bytes() == theirs.statement.read_bytes()
        assert mine.detail.read_bytes() == theirs.detail.read_bytes()


def test_every_month_adds_up_to_the_bill(there: Answers) -> None:
    assert there.months == MONTHS
    assert all(ties(there, View(month, "USD", EVERYTHING)) for month in MONTHS)


def test_an_answer_is_scanned_for_once(athena: Athena, there: Answers, read_there: Any) -> None:  # noqa: ANN401
    view = View(NEWEST, "USD", EVERYTHING)
    asked = [view, view.narrowed("team", "search"), view]
    for one in asked:
        usage_mix(program(read_there).answers(), one)
    assert [q.reused for q in athena.reading("GROUP BY")] == [False, False, True]


def test_copied_facts_are_those_of_the_store_on_disk(
    there: Answers, here: Answers, read_there: AthenaSettings, read_store: Path, tmp_path: Path
) -> None:
    far = program(read_there).store
    near = Workspace(Settings(athena=read_there, store=read_store)).store
    for theirs, mine in zip(there.periods, here.periods, strict=True):
        far.copy_facts(theirs, tmp_path / "far")
        near.copy_facts(mine, tmp_path / "near")
        copied, kept = (parquet.read_table(tmp_path / name) for name in ("far", "near"))
        assert copied.schema == kept.schema == result_schema("daily_spend")
        assert sorted(map(repr, copied.to_pylist())) == sorted(map(repr, kept.to_pylist()))
        assert copied.num_rows == theirs.manifest.rows_kept > 0


# Read once, replaced whole.


def test_a_month_is_read_once(athena: Athena, newest_there: AthenaSettings) -> None:
    [insert] = athena.reading(SPEND)
    manifest = program(newest_there).answers().manifest(NEWEST)
    assert manifest.query_ids == (insert.id,)
    assert manifest.bytes_scanned == insert.bytes_scanned > 0
    assert program(newest_there).refresh(NEWEST) == []
    assert len(athena.reading(SPEND)) == 1


def test_a_meaning_is_worked_out_once_for_all_programs(
    athena: Athena, newest_there: AthenaSettings
) -> None:
    for _ in range(2):
        assert ties(program(newest_there).answers(), View(NEWEST, "USD", EVERYTHING))
    assert [len(athena.reading(words)) for words in (DAILY, MONTHLY)] == [1, 1]


def test_a_month_written_again_is_replaced_and_its_reader_reads_on(
    athena: Athena, newest_there: AthenaSettings, tmp_path: Path
) -> None:
    reader = program(newest_there).answers()
    first = versions(athena, newest_there, "spend")
    athena.service.tables["billing.cur2"] = republish(athena.cur, tmp_path / "1", NEWEST)
    assert program(newest_there).refresh(NEWEST) == [NEWEST]
    assert first < versions(athena, newest_there, "spend")
    assert ties(reader, View(NEWEST, "USD", EVERYTHING))
    newer = program(newest_there).answers()
    assert newer.periods[0].key != reader.periods[0].key
    assert ties(newer, View(NEWEST, "USD", EVERYTHING))


def write_again(athena: Athena, settings: AthenaSettings, folder: Path, times: int) -> None:
    for number in range(times):
        cur = athena.service.tables["billing.cur2"]
        athena.service.tables["billing.cur2"] = republish(cur, folder / str(number), NEWEST)
        program(settings).refresh(NEWEST)
        program(settings).answers()
        end_leases(athena, settings)


def end_leases(athena: Athena, settings: AthenaSettings) -> None:
    """As if every holder's machine had gone more than an hour ago."""
    for key in kept(athena, settings):
        if key.startswith("leases/"):
            over = b'{"until": "2026-01-01T00:00:00Z"}'
            StoreObjects(settings).put(key, over)


def test_a_version_that_a_reader_holds_stays_until_the_reader_is_gone(
    athena: Athena, newest_there: AthenaSettings, tmp_path: Path
) -> None:
    reader = program(newest_there).answers()
    held = versions(athena, newest_there, "spend")
    for number in range(3):  # every reader before is still there
        cur = athena.service.tables["billing.cur2"]
        folder = tmp_path / f"held {number}"
        athena.service.tables["billing.cur2"] = republish(cur, folder, NEWEST)
        program(newest_there).refresh(NEWEST)
        program(newest_there).answers()
    assert held < versions(athena, newest_there, "spend")
    assert (
        rank(reader, View(NEWEST, "USD", EVERYTHING), "team")["cost"].sum()
        == (reader.bill(NEWEST).totals["USD"])
    )
    end_leases(athena, newest_there)
    write_again(athena, newest_there, tmp_path, times=1)
    assert not held & versions(athena, newest_there, "spend")
    assert len(versions(athena, newest_there, "spend")) == len(["in force", "before"])


def test_the_version_before_the_last_is_dropped_with_what_it_meant(
    athena: Athena, newest_there: AthenaSettings, tmp_path: Path
) -> None:
    program(newest_there).answers()
    end_leases(athena, newest_there)
    first = kept(athena, newest_there)
    write_again(athena, newest_there, tmp_path, times=2)
    assert first & kept(athena, newest_there) == {f"periods/{NEWEST}.json"}
    kinds = ("spend", "daily", "monthly", "attributed_identities", "recognised_meters")
    assert [len(versions(athena, newest_there, kind)) for kind in kinds] == [2] * len(kinds)


def test_other_rules_have_a_meaning_of_their_own_and_the_newest_stay(
    athena: Athena, newest_there: AthenaSettings
) -> None:
    teams = [f"iamPrincipal/team{number}" for number in range(RULES_KEPT + 1)]
    for team in teams:
        answers = program(newest_there, attribution={"team": [team]}).answers()
        assert ties(answers, View(NEWEST, "USD", EVERYTHING))
        assert list(rank(answers, View(NEWEST, "USD", EVERYTHING), "team")["unit"]) == [
            "(unallocated)"
        ]
    assert len(versions(athena, newest_there, "daily")) == RULES_KEPT


class Overtaken(AthenaTable):
    """A table of which another machine reads the same month, and is done first."""

    other: Callable[[], object]

    def insert(self, billing_period: str, *more: Any) -> Extract:  # noqa: ANN401  (all passed on)
        extract = super().insert(billing_period, *more)
        self.other()
        return extract


def test_of_two_machines_the_first_to_finish_wins(
    athena: Athena, empty: AthenaSettings, tmp_path: Path
) -> None:
    first = Workspace(Settings(athena=empty, store="athena"))
    source = Overtaken(empty)
    slower = AthenaStore(tmp_path / "another machine", source)
    source.other = lambda: first.refresh(NEWEST)
    assert (
        slower.refresh(source, source.periods()[:1], Refresh(delivery_comparison(first.rules)))
        == []
    )
    assert len(athena.reading(SPEND)) == len(["slower", "first"])
    [period] = slower.periods(source.source_id)
    assert versions(athena, empty, "spend") == {f"version={period.version}"}


# What goes wrong.


FAILED = "HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split s3://secret/a"
WHILE_READING: dict[str, Fate | Refusal] = {
    "the insert": Fate("FAILED", SPEND, FAILED),
    "looking at what was written": Fate("FAILED", "lines_read", FAILED),
    "saying that it is there": Refusal("PutObject", "AccessDenied", "not authorized", 403),
}


@pytest.mark.parametrize("failure", WHILE_READING.values(), ids=WHILE_READING)
def test_a_failure_leaves_the_month_as_it_was(
    failure: Fate | Refusal, athena: Athena, newest_there: AthenaSettings, tmp_path: Path
) -> None:
    program(newest_there).answers()
    before = kept(athena, newest_there)
    athena.service.tables["billing.cur2"] = republish(athena.cur, tmp_path / "cur", NEWEST)
    athena.failures.plan(failure)
    with pytest.raises(SourceProblem) as told:
        program(newest_there).refresh(NEWEST)
    assert "secret" not in str(told.value)
    assert kept(athena, newest_there) == before
    assert ties(program(newest_there).answers(), View(NEWEST, "USD", EVERYTHING))
    athena.failures.clear()
    assert program(newest_there).refresh(NEWEST) == [NEWEST]


WHILE_UNDERSTANDING: dict[str, Fate | Refusal] = {
    "asking who is named": Fate("FAILED", "UNLOAD", FAILED),
    "putting there who they are": Refusal("PutObject", "AccessDenied", "not authorized", 403),
    "the daily rows": Fate("FAILED", DAILY, FAILED),
    "the monthly rows": Fate("FAILED", MONTHLY, FAILED),
}


@pytest.mark.parametrize("failure", WHILE_UNDERSTANDING.values(), ids=WHILE_UNDERSTANDING)
def test_half_a_meaning_is_no_meaning(
    failure: Fate | Refusal, athena: Athena, newest_there: AthenaSettings
) -> None:
    before = kept(athena, newest_there)
    athena.failures.plan(failure)
    with pytest.raises(SourceProblem):
        program(newest_there).answers()
    assert kept(athena, newest_there) == before
    athena.failures.clear()
    assert ties(program(newest_there).answers(), View(NEWEST, "USD", EVERYTHING))


def test_what_lies_there_of_another_release_is_read_again(
    athena: Athena, newest_there: AthenaSettings
) -> None:
    name = f"{str(newest_there.store_location).split('/', 3)[3]}periods/{NEWEST}.json"
    for body in (b'{"table": "chargeback_spend_0", "version": "x"}', b"no JSON"):
        athena.service.s3.put_object(Bucket=BUCKET, Key=name, Body=body)
        assert program(newest_there).store.periods("") == []
        assert program(newest_there).refresh(NEWEST) == [NEWEST]


def test_a_stopped_refresh_cancels_its_inserts_and_leaves_nothing(
    athena: Athena, empty: AthenaSettings, tmp_path: Path
) -> None:
    athena.failures.plan(Fate("ENDLESS", SPEND))
    environment = by_environment(empty, tmp_path) | {"CHARGEBACK_STORE": "athena"}
    root = str(Path(__file__).resolve().parents[2])
    process = subprocess.Popen(
        [sys.executable, "-m", "chargeback", "refresh"],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": root},
        stderr=subprocess.PIPE,
        text=True,
    )
    athena.service.await_running(SPEND, len(MONTHS))
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert (process.returncode, said) == (
        1,
        "chargeback: Stopped; what was read before still applies.\n",
    )
    assert athena.ends(SPEND) == ["CANCELLED"] * len(MONTHS)
    assert kept(athena, empty) == set()
