"""The stories of the demo bill each stand on Overview in their month, without a click."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest

from chargeback.access.rows import EVERYTHING
from chargeback.billing_period import months_until
from chargeback.demo import company, write_demo
from chargeback.demo.company import CALLERS, Caller
from chargeback.formats import short_month
from chargeback.reports.answers import Answers
from chargeback.reports.caller_causes import Cause
from chargeback.reports.causes import causes
from chargeback.reports.view import View
from chargeback.settings import Settings
from chargeback.ui.bridge import SHOWN
from chargeback.workspace import Workspace

NEWEST = "2026-11"
MONTHS = months_until(NEWEST, company.SUPPORT_MOVE_BACK + 2)
"""From the month before the oldest story that is told here."""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    folder = tmp_path_factory.mktemp("stories")
    write_demo(folder / "cur", today=date(2026, 11, 23), months=len(MONTHS), lines=12_000)
    workspace = Workspace(Settings(cur=folder / "cur", store=folder / "store"))
    workspace.refresh()
    return workspace.answers()


def shown(answers: Answers, back: int) -> Sequence[Cause]:
    """What Overview lists of the month so many months before the newest."""
    return causes(answers, View(MONTHS[-1 - back], "USD", EVERYTHING), SHOWN)


def role_of(caller: Caller) -> str:
    """'research-agent' of its session's ARN."""
    return caller.arn.split("/")[1]


def test_the_runaway_is_the_largest_of_its_month_and_of_the_next(answers: Answers) -> None:
    first, *_, last = company.RUNAWAY_DAYS
    month = short_month(MONTHS[-1 - company.RUNAWAY_BACK])
    days = f"{first}–{last} {month}"
    agent = role_of(company.RUNAWAY)
    began = shown(answers, company.RUNAWAY_BACK)[0]
    ended = shown(answers, company.RUNAWAY_BACK - 1)[0]
    assert began.words == f"{agent}: runaway on {days}"
    assert ended.words == f"{agent}: its runaway of {days} ended"
    assert began.amount > 0 > ended.amount


def test_the_support_team_changes_its_model(answers: Answers) -> None:
    (mover,) = (
        caller
        for caller in CALLERS
        if caller.account is company.SUPPORT
        and caller.uses[0].until == company.SUPPORT_MOVE_BACK + 1
    )
    for back in (company.SUPPORT_MOVE_BACK, company.SUPPORT_MOVE_BACK - 1):
        said = {each.words: each.amount for each in shown(answers, back)}
        assert said[f"{role_of(mover)}: Opus 4.6 → Haiku 4.5"] < 0


@pytest.mark.parametrize("back", range(1, len(MONTHS) - 1))
def test_the_prompt_cache_is_used_more_every_month(answers: Answers, back: int) -> None:
    (cache,) = (each for each in shown(answers, back) if "prompt cache" in each.what)
    assert cache.what.startswith("more input from the prompt cache")
    assert cache.amount < 0


def test_the_price_of_opus_falls_in_its_month(answers: Answers) -> None:
    said = [each.words for each in shown(answers, company.PRICE_CUT_BACK)]
    assert "Opus 5.5: price -20.0 %" in said
