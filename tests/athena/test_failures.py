"""What goes wrong in Athena or S3 is told clearly, and what was read before still stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from chargeback.errors import Problem, SourceProblem
from chargeback.reports.charges import detail
from chargeback.settings import Settings
from chargeback.sources.athena.table import AthenaTable
from chargeback.workspace import Workspace
from tests.athena.conftest import TODAY, Athena, cli, republish
from tests.athena.failures import (
    Fate,
    Refusal,
    expired_credentials,
    server_error,
    throttled,
)
from tests.bills import NONE_FOLDED, exported, whole

MONTH = "2026-11"
UNLOAD = "UNLOAD"

DENIED = "User: arn:aws:iam::111122223333:user/secret is not authorized to perform: "
REFUSED: list[tuple[Refusal, str]] = [
    (server_error(), "(InternalServerException)"),
    (server_error("GetQueryExecution"), "(InternalServerException)"),
    (Refusal("StartQueryExecution", "AccessDeniedException", f"{DENIED}athena:StartQueryExecution"),
     "denied athena:StartQueryExecution"),
    (Refusal("StartQueryExecution", "InvalidRequestException", "WorkGroup secret is not found."),
     "no enabled workgroup"),
    (Refusal("GetObject", "AccessDenied", f"{DENIED}s3:GetObject", 403), "denied s3:GetObject"),
    (Refusal("HeadObject", "403", "Forbidden", 403), "denied access"),
    (Refusal("GetObject", "NoSuchKey", "The specified key does not exist.", 404), "were gone"),
    (Refusal("GetObject", "ExpiredToken", "The provided token has expired."), "have expired"),
    (expired_credentials("GetQueryExecution"), "have expired"),
    (expired_credentials(), "have expired"),
]  # fmt: skip
ENDED: list[tuple[Fate, str]] = [
    (Fate("FAILED", UNLOAD, "Query exhausted resources at this scale factor"), "time or memory"),
    (Fate("FAILED", UNLOAD, "HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split s3://secret/a "
          "(Service: Amazon S3; Status Code: 404; Error Code: NoSuchKey)"), "replacing the files"),
    (Fate("FAILED", UNLOAD, "Bytes scanned limit was exceeded"), "more than its Athena workgroup"),
    (Fate("VANISHED", UNLOAD), "gone before they could be read"),
    (Fate("GARBLED", UNLOAD), "can't be read: its files are incomplete"),
]  # fmt: skip


@pytest.fixture
def stale(athena: Athena, store: Path, tmp_path: Path) -> Workspace:
    """A bill that was read, and of which AWS has written the newest month again since."""
    athena.service.tables["billing.cur2"] = republish(athena.cur, tmp_path / "cur", MONTH)
    return Workspace(Settings(athena=athena.settings, store=store))


def statement(workspace: Workspace, out: Path) -> bytes:
    files = exported(workspace.answers(), whole(MONTH), "tenant", TODAY, out)
    return files.statement.read_bytes() + files.detail.read_bytes()


def is_told(problem: Problem | None, what: str) -> None:
    assert problem
    assert what in problem.what
    assert problem.todo
    assert "figures read earlier stay as they were" in problem.means
    assert "secret" not in str(problem)


@pytest.mark.parametrize(("failure", "what"), [*REFUSED, *ENDED], ids=lambda of: str(of)[:60])
def test_a_failure_is_told_and_what_was_read_stands(
    failure: Refusal | Fate, what: str, athena: Athena, stale: Workspace
) -> None:
    before = stale.store.periods(stale.source.source_id)
    athena.failures.plan(failure)
    is_told(stale.ensure(MONTH), what)
    assert stale.store.periods(stale.source.source_id) == before
    assert detail(stale.answers(), whole(MONTH)).read_all().num_rows > 0


def test_after_a_failure_the_month_is_read(athena: Athena, stale: Workspace) -> None:
    athena.failures.plan(Fate("VANISHED", UNLOAD, times=1))
    assert stale.ensure(MONTH)
    assert [period.billing_period for period in stale.out_of_date()] == [MONTH]
    assert stale.ensure(MONTH) is None
    assert stale.out_of_date() == []


@pytest.mark.parametrize(("failure", "what"), [REFUSED[2], ENDED[0]])
def test_what_will_not_pass_is_not_tried_again(
    failure: Refusal | Fate, what: str, athena: Athena, stale: Workspace
) -> None:
    athena.failures.plan(failure)
    is_told(stale.ensure(MONTH), what)
    of_changes, of_columns, of_products, of_the_month = 1, 1, 1, 1
    of_a_bill = of_changes + of_columns + of_products + of_the_month
    asked = of_changes if isinstance(failure, Refusal) else of_a_bill
    assert athena.service.calls["StartQueryExecution"] == asked


@pytest.mark.parametrize(
    "failure",
    [
        throttled(times=2),
        throttled("GetQueryExecution", times=2),
        server_error(times=2),
        server_error("GetQueryResults", times=1),
        Refusal("GetObject", "SlowDown", "Please reduce your request rate.", 503, times=2),
    ],
    ids=lambda failure: f"{failure.code} {failure.operation}",
)
def test_what_passes_is_waited_for(failure: Refusal, athena: Athena, stale: Workspace) -> None:
    athena.failures.plan(failure)
    assert stale.refresh() == [MONTH]
    assert failure.times == 0


def test_throttling_that_does_not_end_is_told(
    athena: Athena, stale: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")  # boto3's own retries; PyAthena's go on
    athena.failures.plan(throttled())
    is_told(stale.ensure(MONTH), "too many requests")
    assert athena.service.calls["StartQueryExecution"] > 1


def test_a_query_that_does_not_end_is_cancelled(athena: Athena, store: Path) -> None:
    impatient = athena.settings.model_copy(update={"timeout_seconds": 1})
    athena.failures.plan(Fate("ENDLESS"))
    workspace = Workspace(Settings(athena=impatient, store=store))
    is_told(workspace.ensure(MONTH), "did not finish the query within 1 second;")
    assert athena.ends() == ["CANCELLED"]
    assert MONTH in workspace.answers().months


def test_one_month_that_fails_keeps_no_other_from_being_read(
    athena: Athena, tmp_path: Path
) -> None:
    athena.failures.plan(Fate("FAILED", UNLOAD, "Query exhausted resources", times=1))
    workspace = Workspace(Settings(athena=athena.settings, store=tmp_path / "store"))
    with pytest.raises(SourceProblem, match="time or memory"):
        workspace.refresh()
    [failed] = [query for query in athena.reading(UNLOAD) if query.state == "FAILED"]
    assert failed.parameters[0].strip("'") not in workspace.answers().months
    assert len(workspace.answers().months) == len(athena.reading(UNLOAD)) - 1


def test_lines_that_can_not_be_read_are_a_problem(athena: Athena) -> None:
    athena.failures.plan(Fate("FAILED", "OFFSET", "Query exhausted resources"))
    parameters = {"billing_period": MONTH, "products": [], "identities": ["a"], "meters": ["b"]}
    page = {**NONE_FOLDED, "usage_date": None, "page_start": 0, "page_size": 1}
    with pytest.raises(SourceProblem) as raised:
        AthenaTable(athena.settings).lines(parameters | page)
    is_told(raised.value, "time or memory")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"table": "secret"}, "no table of that name"),
        ({"workgroup": "secret"}, "no enabled workgroup"),
        ({"s3_staging_dir": "s3://secret/"}, "can't use the location for its results"),
        ({"workgroup": "primary"}, "no location for its results"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_told(change: dict[str, str], what: str, athena: Athena) -> None:
    with pytest.raises(SourceProblem) as raised:
        AthenaTable(athena.settings.model_copy(update=change)).periods()
    is_told(raised.value, what)


@pytest.mark.parametrize(
    ("failures", "said"),
    [
        ([expired_credentials()], "not up to date: The AWS credentials have expired."),
        ([Fate("VANISHED", UNLOAD)], "not up to date: The query's results were gone"),
    ],
    ids=["expired", "vanished"],
)
def test_the_command_line_exports_what_it_has_and_says_why(
    failures: Sequence[Refusal | Fate],
    said: str,
    athena: Athena,
    stale: Workspace,
    store: Path,
    tmp_path: Path,
) -> None:
    before = statement(stale, tmp_path / "before")
    athena.failures.plan(*failures)
    out = tmp_path / "after"
    ran = cli(athena.settings, store, *f"export --month {MONTH} --by tenant --out {out}".split())
    assert ran.returncode == 0
    assert ran.stderr.startswith(f"chargeback: {said}")
    assert ran.stderr.count("\n") == 1
    names = ran.stdout.splitlines()[:2]
    assert b"".join(Path(name).read_bytes() for name in names) == before


def test_the_command_line_says_in_one_line_why_nothing_was_read(
    athena: Athena, stale: Workspace, store: Path
) -> None:
    athena.failures.plan(expired_credentials())
    ran = cli(athena.settings, store, "refresh")
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (1, "", 1)
    assert ran.stderr.startswith("chargeback: The AWS credentials have expired.")


def test_a_first_month_that_fails_leaves_no_file(athena: Athena, tmp_path: Path) -> None:
    athena.failures.plan(Fate("GARBLED", UNLOAD))
    store = tmp_path / "store"
    ran = cli(athena.settings, store, "export", "--month", MONTH, "--by", "tenant")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "its files are incomplete" in ran.stderr
    assert not list(store.rglob("*.parquet"))
