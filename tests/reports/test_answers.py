"""What is worked out from answers is worked out once."""

from __future__ import annotations

from pathlib import Path

from chargeback.reports.answers import REMEMBERED
from tests.bills import MONTH, line
from tests.statement.units import answers_on


def test_each_thing_is_worked_out_once_until_there_are_too_many(tmp_path: Path) -> None:
    answers = answers_on(tmp_path, {MONTH: [line("1.00")]})
    done: list[object] = []

    def told(key: object) -> object:
        def work_out() -> object:
            done.append(key)
            return key

        return answers.once(key, work_out)

    assert [told(key) for key in ("a", "b", "a", None, None)] == ["a", "b", "a", None, None]
    assert done == ["a", "b", None]
    for number in range(REMEMBERED):
        told(number)
    assert told("a") == "a"
    assert done.count("a") == 2
