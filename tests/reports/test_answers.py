"""What is worked out from answers is worked out once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from threading import Event

import pyarrow as pa
import pytest

from chargeback.access.rows import EVERYTHING
from chargeback.reports.answers import REMEMBERED, Answers
from chargeback.reports.charges import charges_by_unit
from chargeback.reports.view import View
from chargeback.settings import Settings
from chargeback.workspace import Workspace
from tests.bills import MONTH, line, write_bill
from tests.statement.units import answers_on


def test_each_thing_is_worked_out_once_until_there_are_too_many(tmp_path: Path) -> None:
    answers = answers_on(tmp_path, {MONTH: [line("1.00")]})
    done: list[object] = []

    def make(_: Answers, key: object) -> object:
        done.append(key)
        return key

    asked = ("a", "b", "a", None, None)
    assert tuple(answers.made_once(make, key) for key in asked) == asked
    assert done == ["a", "b", None]
    for number in range(REMEMBERED):
        answers.made_once(make, number)
    assert answers.made_once(make, "a") == "a"
    assert done.count("a") == 2


BEFORE = "2026-09"


class Key:
    """Tells when so many have looked for it."""

    def __init__(self, wanted: int) -> None:
        self.wanted, self.all_asked = wanted, Event()

    def __hash__(self) -> int:
        self.wanted -= 1
        if not self.wanted:
            self.all_asked.set()
        return 1


def test_who_asks_for_what_is_being_made_waits_for_it(tmp_path: Path) -> None:
    answers, done = answers_on(tmp_path, {MONTH: [line("1.00")]}), []

    def make(_: Answers, of: Key) -> str:
        done.append(of)
        assert of.all_asked.wait(timeout=60)
        return "made"

    of = Key(3)
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(answers.made_once, make, of) for _ in range(3)]
        assert [each.result() for each in asked] == ["made"] * 3
    assert len(done) == 1


def test_what_could_not_be_made_is_made_when_it_is_asked_for_again(tmp_path: Path) -> None:
    answers, tried = answers_on(tmp_path, {MONTH: [line("1.00")]}), []

    def make(_: Answers) -> str:
        tried.append("tried")
        if len(tried) == 1:
            raise ZeroDivisionError
        return "made"

    with pytest.raises(ZeroDivisionError):
        answers.made_once(make)
    assert (answers.made_once(make), answers.made_once(make), len(tried)) == ("made", "made", 2)


def test_a_month_answers_from_memory_until_its_version_changes(tmp_path: Path) -> None:
    cur = write_bill(tmp_path / "cur", {BEFORE: [line("2.00")], MONTH: [line("1.00")]})
    workspace = Workspace(Settings(cur=cur, store=tmp_path / "store"))
    workspace.refresh()

    def asked(month: str) -> pa.Table:
        return charges_by_unit(workspace.answers(), View.of_month(month, EVERYTHING), "team")

    before, newest = asked(BEFORE), asked(MONTH)
    write_bill(cur, {MONTH: [line("3.00"), line("4.00")]})
    assert workspace.refresh() == [MONTH]
    assert asked(BEFORE) is before
    told = [table["usage_cost"].to_pylist() for table in (newest, asked(MONTH))]
    assert told == [[Decimal(1)], [Decimal(7)]]
