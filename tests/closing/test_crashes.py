"""Killed, full, or two at once: a month is closed or open, and nothing of it is lost."""

from __future__ import annotations

import os
import signal
from itertools import count
from pathlib import Path

import pytest

from chargeback.closing.sent import write_frozen_export
from chargeback.errors import Problem, UsageProblem
from chargeback.files.atomic import flush
from chargeback.ledger.chain import verify
from chargeback.ledger.objects import Folder, LedgerProblem
from tests.closing.conftest import AUGUST, BOB, SEPTEMBER, Company, ends_of_two


def close_until(step: int, company: Company) -> int:
    """Closes August in a process that is killed before the `step`th thing it puts in the ledger."""
    child = os.fork()
    if child == 0:
        left, create = [step], Folder.create

        def die(self: Folder, name: str, content: bytes | Path) -> bool:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return create(self, name, content)

        Folder.create = die  # type: ignore[method-assign]
        company.close(AUGUST)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_close_that_is_killed_at_any_step_leaves_the_month_open(
    company: Company, tmp_path: Path
) -> None:
    for step in count(1):
        if close_until(step, company) == 0:
            break
        book = company.statements().book
        assert not book.entries
        assert verify(company.workspace.ledger) is None
    # Every file of the close, close.json and the entry are steps.
    closed = company.statements().book.require(AUGUST)
    assert step == len(closed.record.files) + 3
    assert verify(company.workspace.ledger) is None
    assert write_frozen_export(closed, "tenant", tmp_path).manifest.exists()
    left = list((company.folder / "store" / "closed").glob(".unfinished-*"))
    assert not left


def test_a_close_that_is_killed_before_it_is_written_down_stands(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("chargeback.closing.entries._write_down", die)
        with pytest.raises(KeyboardInterrupt):
            company.close(AUGUST)
    assert company.statements().book.require(AUGUST)
    assert verify(company.workspace.ledger) is None
    company.close(SEPTEMBER, BOB)
    told = [(each["who"], each["what"]) for each in company.workspace.ledger.changes()]
    assert told == [("ann", f"closed {AUGUST}"), ("bob", f"closed {SEPTEMBER}")]


def test_a_full_disk_leaves_the_month_open(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = Folder.create

    def full(self: Folder, name: str, content: bytes | Path) -> bool:
        if name.endswith("spend.parquet"):
            raise OSError(28, "No space left on device")
        return create(self, name, content)

    with monkeypatch.context() as patched:
        patched.setattr(Folder, "create", full)
        with pytest.raises(Problem, match=r"can't be written: No space left.*is as it was before"):
            company.close(AUGUST)
    assert not company.statements().book.entries
    company.close(AUGUST)
    assert verify(company.workspace.ledger) is None


def test_of_two_who_close_at_once_one_does(company: Company) -> None:
    ends = ends_of_two(company, AUGUST)
    assert ends[1] == "closed"
    assert ends[0].startswith("Somebody else closed or reopened a month meanwhile")
    assert len(company.statements().book.entries) == 1
    assert verify(company.workspace.ledger) is None
    with pytest.raises(UsageProblem, match="closed already"):
        company.close(AUGUST)


def test_what_a_killed_write_leaves_in_the_ledger_is_no_entry(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.close(AUGUST)

    def killed(path: Path) -> None:
        if path.parent.name == "entries":
            raise KeyboardInterrupt
        flush(path)

    with monkeypatch.context() as patched:
        patched.setattr("chargeback.ledger.objects.flush", killed)
        patched.setattr(Path, "unlink", lambda *_, **__: None)  # as if nothing ran any more
        with pytest.raises(KeyboardInterrupt):
            company.close(SEPTEMBER)
    assert list((company.folder / "ledger" / "entries").glob(".*"))
    assert verify(company.workspace.ledger) is None
    company.close(SEPTEMBER)
    assert len(company.statements().book.entries) == 2


@pytest.mark.parametrize("entry", ['"x"', "null", "99"])
def test_a_ledger_that_was_changed_takes_no_further_close(company: Company, entry: str) -> None:
    company.close(AUGUST)
    changes = company.folder / "ledger" / "changes.jsonl"
    text = changes.read_text("utf-8")
    changes.write_text(text.replace('"after": {"entry": 1', f'"after": {{"entry": {entry}'))
    with pytest.raises(LedgerProblem, match="not as it was written"):
        company.close(SEPTEMBER)
    assert len(list((company.folder / "ledger" / "closes").iterdir())) == 1
