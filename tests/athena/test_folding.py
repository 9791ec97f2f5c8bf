"""Sessions that the store in Athena keeps as one: those that the store on disk does."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from chargeback.access.rows import EVERYTHING
from chargeback.attribution.rules import AttributionRules
from chargeback.errors import SourceProblem
from chargeback.reports.cur_lines import cur_lines
from chargeback.reports.frames import total
from chargeback.reports.period_status import notices_of, ties
from chargeback.reports.view import View
from chargeback.settings import Settings
from chargeback.sources.athena.settings import AthenaSettings
from chargeback.store.settings import FEWEST, StoreSettings
from chargeback.workspace import Workspace
from tests.athena.conftest import SETTINGS, TODAY, Athena, cli
from tests.athena.failures import Fate, Refusal
from tests.athena.server import BUCKET
from tests.bills import MONTH, exported, line, whole, write_bill

ROLE = "arn:aws:sts::111122223333:assumed-role/"
FOLDED = f"{ROLE}gw/*"
NAMED = f"{ROLE}gw/o'hara@example.com"
LINES = [
    *(line(f"1.{n}5", principal=f"{ROLE}gw/call-{n}", day=day) for n in range(9) for day in (1, 2)),
    *(
        line("0.5", principal=f"{ROLE}gw/botocore-session-170000000{n}", net="0.25")
        for n in range(7)
    ),
    line("40", principal=NAMED, tenant="ann"),
    line("3", "Tax", principal=None),
]


def program(athena: AthenaSettings, location: Any, above: int | None, **more: Any) -> Workspace:  # noqa: ANN401
    store = StoreSettings(location=location, fold_sessions_above=above)
    return Workspace(Settings(athena=athena, store=store, **more))


def facts(of: Workspace, file: Path) -> list[str]:
    """The rows of the month, in no order."""
    (period,) = of.store.periods(of.source.source_id)
    of.store.copy_facts(period, file)
    return sorted(map(repr, parquet.read_table(file).to_pylist()))


def left(athena: Athena, there: AthenaSettings) -> list[str]:
    """The kinds of tables that have files, once for each version."""
    place = str(there.store_location).removeprefix(f"s3://{BUCKET}/")
    found = athena.service.s3.list_objects_v2(Bucket=BUCKET, Prefix=place).get("Contents", [])
    versions = {tuple(item["Key"].removeprefix(place).split("/")[:3]) for item in found}
    kinds = [name[0].split("_")[1] for name in versions if name[0].startswith("chargeback_")]
    return sorted(kinds)


@pytest.fixture
def there(athena: Athena, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AthenaSettings:
    """Where a store of this test's own may lie, of a table of one month."""
    monkeypatch.chdir(tmp_path)
    athena.service.tables["billing.cur2"] = write_bill(tmp_path / "cur", {MONTH: LINES})
    place = f"s3://{BUCKET}/{tmp_path.name}/"
    return SETTINGS.model_copy(update={"store_location": place})


def test_it_is_the_store_on_disk(athena: Athena, there: AthenaSettings, tmp_path: Path) -> None:
    far, near = program(there, "athena", FEWEST), program(there, tmp_path / "near", FEWEST)
    for each in (far, near):
        assert each.refresh() == [MONTH]
        assert each.refresh() == []
        assert ties(each.answers(), View(MONTH, "USD", EVERYTHING))
    assert facts(far, tmp_path / "a") == facts(near, tmp_path / "b")
    mine, theirs = (each.answers().manifest(MONTH) for each in (far, near))
    assert mine.folded == theirs.folded
    assert mine.folded
    assert mine.folded.principals == (FOLDED, f"{ROLE}gw/sdk-*")
    assert [each.sessions for each in mine.folded.totals] == [16]
    assert mine.totals == theirs.totals
    files = [
        exported(each.answers(), whole(MONTH), "tenant", TODAY, tmp_path / name)
        for each, name in ((far, "far"), (near, "near"))
    ]
    assert files[0].detail.read_bytes() == files[1].detail.read_bytes()
    kinds = ["attributed", "daily", "monthly", "recognised", "spend"]
    assert left(athena, there) == kinds  # neither what was folded nor what said how


def test_where_nothing_is_folded_the_facts_stay_as_they_were_written(
    athena: Athena, there: AthenaSettings
) -> None:
    none = program(there, "athena", 100)
    none.refresh()
    assert len(athena.reading('INSERT INTO "billing"."chargeback_spend')) == 1
    folded = none.answers().manifest(MONTH).folded
    assert folded
    assert folded.totals == ()


@pytest.mark.parametrize(
    "failure",
    [
        Fate("FAILED", "role_session", "no reason"),
        Fate("FAILED", "session_folds", "no reason"),
        Fate("FAILED", "rows_after", "no reason"),
        Refusal("PutObject", "AccessDenied", "not authorized", 403),
    ],
    ids=["asking who is named", "the insert", "looking at what was written", "the sessions"],
)
def test_a_failure_leaves_nothing(
    failure: Fate | Refusal, athena: Athena, there: AthenaSettings
) -> None:
    athena.failures.plan(failure)
    folding = program(there, "athena", FEWEST)
    with pytest.raises(SourceProblem):
        folding.refresh()
    assert left(athena, there) == []
    athena.failures.clear()
    assert folding.refresh() == [MONTH]


def test_single_lines_are_those_of_all_that_a_caller_stands_for(
    there: AthenaSettings,
) -> None:
    folding = program(there, "athena", FEWEST)
    folding.refresh()
    for principal, cost in ((FOLDED, "26.10"), (f"{ROLE}gw/sdk-*", "1.75"), (NAMED, "40")):
        view = View(MONTH, "USD", EVERYTHING).narrowed("iam_principal", principal)
        found = cur_lines(folding.answers(), folding.source, view, None, 0)
        assert total(found) == Decimal(cost)


def test_what_costs_is_read_anew_only_when_somebody_asks(
    there: AthenaSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "on-disk"
    program(there, store, FEWEST).refresh()
    rules = AttributionRules(team=[{"pattern": "(?P<value>[0-9])$", "on": "session"}])
    reading = program(there, store, FEWEST, attribution=rules)
    assert reading.out_of_date() == []
    assert reading.refresh() == []
    assert "sessions-read-since" in {n.code for n in notices_of(reading.answers(), MONTH)}
    attribution = '{"team": [{"pattern": "(?P<value>[0-9])$", "on": "session"}]}'
    monkeypatch.setenv("CHARGEBACK_STORE__FOLD_SESSIONS_ABOVE", str(FEWEST))
    monkeypatch.setenv("CHARGEBACK_ATTRIBUTION", attribution)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    told = cli(there, store, "refresh")
    assert told.returncode == 0
    assert "1 billing period of which other sessions are now kept as one will be" in told.stderr
    assert "sessions-read-since" not in {n.code for n in notices_of(reading.answers(), MONTH)}
