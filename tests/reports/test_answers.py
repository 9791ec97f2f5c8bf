"""What is worked out from answers is worked out once."""

from __future__ import annotations

from pathlib import Path

from chargeback.reports.answers import REMEMBERED, Answers
from tests.bills import MONTH, line
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
