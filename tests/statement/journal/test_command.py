"""`journal` at the command line: what it writes, what it says, and how it fails."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from chargeback.cli import journal as command
from chargeback.cli.main import main
from chargeback.statement.documents import DocumentSet
from tests.statement.journal.months import MONTH, document, documents

FOUND = documents(document("acme-corp", "10.00"), document("globex", "5.00"))


class Done(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in a folder with a list of accounts and a clearing account."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if "CHARGEBACK" in name]:
        monkeypatch.delenv(name)
    Path("chargeback.toml").write_text('[journal]\nclearing_account = "6500"\n', "utf-8")
    Path("accounts.csv").write_text("bill_to,account\nacme-corp,7001\nglobex,7002\n", "utf-8")

    def of(*more: str, profile: str = "generic", found: DocumentSet = FOUND) -> Done:
        with monkeypatch.context() as patched:
            patched.setattr(command, "statements_now", lambda _: None)
            patched.setattr(command, "posted", lambda *_: [found])
            wanted = ["journal", "--month", MONTH, "--by", "tenant", "--profile", profile, *more]
            status = main(wanted)
        return Done(status, *capsys.readouterr())

    return of


def test_it_writes_the_file_and_says_that_no_vendor_certified_it(run: Run) -> None:
    done = run(profile="netsuite")
    assert (done.status, done.out) == (0, f"out/journal-netsuite-tenant-{MONTH}.csv\n")
    assert [line.partition(": ")[2][:30] for line in done.err.splitlines()] == [
        "the layout is not certified by",
        "before you import it: Import d",
        "not verified: how many lines C",
    ]
    assert Path(done.out.strip()).read_text("utf-8").count("2026-10-31") == 3


def test_it_posts_on_the_day_that_it_is_given(run: Run) -> None:
    done = run("--posting-date", "2026-11-05", "--out", "there")
    assert Path(done.out.strip()).read_text("utf-8").count("2026-11-05") == 3


def test_a_unit_without_an_account_ends_it_without_a_file(run: Run) -> None:
    done = run(found=documents(document("acme-corp", "1.00"), document("initech", "1.00")))
    assert (done.status, done.out) == (1, "")
    assert "accounts.csv has no account for initech." in done.err
    assert not Path("out").exists()


def test_columns_that_nothing_is_known_for_are_named(run: Run) -> None:
    Path("ours.csv").write_text("Posting Date,G/L Account,Amount,Ledger Group\n", "utf-8")
    done = run("--template", "ours.csv", profile="sap")
    assert done.status == 0
    assert "nothing is known to fill these columns with: Ledger Group" in done.err


def test_a_month_that_was_closed_again_is_said(run: Run) -> None:
    again = FOUND.model_copy(update={"revision": 2})
    assert "2026-10 was closed again: reverse what was posted" in run(found=again).err


@pytest.mark.parametrize(
    ("more", "profile", "status", "said"),
    [
        ((), "sap", 2, "differs by customer: its columns are not set"),
        ((), "sage", 2, "There is no profile 'sage'. Use business-central, dynamics365"),
        (("--posting-date", "5.11.2026"), "generic", 2, "'5.11.2026' is not a date."),
        (("--posting-date", "2026-02-30"), "generic", 2, "'2026-02-30' is not a date."),
        (("--posting-date", "2026-09-30"), "generic", 2, "2026-09-30 is before 2026-10."),
        (("--template", "none.csv"), "sap", 2, "none.csv can't be read"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    run: Run, more: tuple[str, ...], profile: str, status: int, said: str
) -> None:
    done = run(*more, profile=profile)
    assert (done.status, done.out, done.err.count("\n")) == (status, "", 1)
    assert said in done.err
    assert not Path("out").exists()


def test_an_accrual_and_its_reversal_are_in_one_file(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    accrued = documents(document("acme-corp", "70.00", kind="ACCRUAL"))
    taken_back = documents(document("acme-corp", "-70.00", kind="ACCRUAL_REVERSAL"))
    monkeypatch.setattr(command, "ensure", lambda *_: None)
    monkeypatch.setattr(command, "accrued", lambda *_: [accrued, taken_back])
    done = run("--accrual")
    text = Path(done.out.strip()).read_text("utf-8-sig")
    # A line of the unit and one that clears it, on each of both days.
    assert (text.count("2026-10-31"), text.count("2026-11-01")) == (2, 2)
    assert text.count("Accrual (estimate)") == text.count("Reversal of accrual (estimate)") == 2
