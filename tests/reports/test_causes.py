"""Causes name callers, models, days and amounts, on bills whose names, sizes and days are drawn."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargeback.billing_period import days_in, previous_month
from chargeback.dimensions import UNALLOCATED
from chargeback.formats import short_month
from chargeback.money import exact_sum
from chargeback.reports.answers import Answers
from chargeback.reports.caller_causes import Cause
from chargeback.reports.causes import causes
from chargeback.reports.movers import movers
from chargeback.reports.ranking import rank
from tests.reports.spend_rows import Row, answers_over, spend, whole_bill

CLOSE = 0.15
"""How far an amount may be from what the story put on the bill: usual days vary by a tenth."""
PRICES = {"input": Decimal(3), "cache read": Decimal("0.3"), "output": Decimal(15)}
"""Dollars per million tokens of a model of price 1."""
SENT = ("input", "cache read")
MILLION = 1_000_000


@dataclass
class Story:
    """A company of a drawn size whose callers work on as usual, and one thing that happens."""

    seed: int
    rng: random.Random = field(init=False)
    month: str = field(init=False)
    callers: list[str] = field(init=False)
    models: dict[str, Decimal] = field(init=False)
    """By name, how dear each is."""
    team_of: dict[str, str] = field(init=False)
    size: dict[str, float] = field(init=False)
    """Millions of tokens on a usual day, by caller."""

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)  # noqa: S311 -- the same story again by its seed
        self.month = f"20{self.rng.randint(24, 30)}-{self.rng.randint(1, 12):02d}"
        self.callers = self.names(self.rng.randint(3, 8))
        self.models = {name: Decimal(self.rng.randint(2, 9)) / 2 for name in self.names(3)}
        teams = self.names(2)
        self.team_of = {caller: self.rng.choice(teams) for caller in self.callers}
        self.size = {caller: self.rng.uniform(50, 400) for caller in self.callers}

    def names(self, count: int) -> list[str]:
        """Names that differ."""
        found: set[str] = set()
        while len(found) < count:
            letters = self.rng.choices(string.ascii_lowercase + "-._é", k=self.rng.randint(3, 12))
            found.add(f"n{''.join(letters)}")
        return sorted(found)

    def days(self) -> list[date]:
        """All days of the month and of the month before."""
        months = (previous_month(self.month), self.month)
        return [
            date.fromisoformat(f"{month}-01") + timedelta(days=number)
            for month in months
            for number in range(days_in(month))
        ]

    def this_month(self, day: date) -> bool:
        """Whether a day is of the month, not of the one before."""
        return f"{day:%Y-%m}" == self.month

    def work(
        self, caller: str, day: date, model: str, cached: float = 0.0, times: float = 1.0
    ) -> Iterator[Row]:
        """A day of a caller, a tenth more or less, less at weekends; a third of it is output."""
        rhythm = (0.4 if day.weekday() > 4 else 1.0) * self.rng.uniform(0.9, 1.1)
        millions = self.size[caller] * rhythm * times
        parts = {"input": 1 - cached, "cache read": cached, "output": 0.3}
        for token_type, part in parts.items():
            tokens = Decimal(round(millions * part * MILLION))
            cost = tokens * PRICES[token_type] * self.models[model] / MILLION
            yield spend(
                caller,
                day,
                cost,
                tokens,
                model=model,
                token_type=token_type,
                team=self.team_of[caller],
            )

    def as_usual(self, caller: str, **changed: float) -> list[Row]:
        """Both months of a caller."""
        model = sorted(self.models)[0]
        return [row for day in self.days() for row in self.work(caller, day, model, **changed)]

    def others(self, *busy: str) -> list[Row]:
        """Both months of all callers but those that something happens to."""
        return [r for caller in self.callers if caller not in busy for r in self.as_usual(caller)]


def cost(rows: list[Row], taken: Callable[[Row], bool] = lambda row: True) -> float:
    return float(exact_sum(row["cost"] for row in rows if taken(row)))


def about(answers: Answers, month: str, caller: str, words: str) -> Cause:
    """The one cause of the whole bill that names a caller and says this."""
    found = causes(answers, whole_bill(month))
    (cause,) = (each for each in found if each.who == caller and words in each.what)
    return cause


def reason_of_team(answers: Answers, month: str, team: str) -> str:
    """What the movers say of a team."""
    view = whole_bill(month)
    moved = movers(answers, view, "team", rank(answers, view, "team"))
    return str(moved.loc[moved["unit"] == team, "reason"].iloc[0])


def day_name(day: date) -> str:
    return f"{day.day} {short_month(day.isoformat())}"


stories = st.builds(Story, st.integers(0, 10**6))
drawn = settings(max_examples=6)


def runaway(story: Story, caller: str, of_month: str) -> tuple[list[Row], date, date, float]:
    """A caller that uses many times the usual on some days of a month: rows, days, what it cost."""
    length, factor = story.rng.randint(1, 5), story.rng.uniform(6, 40)
    first = date.fromisoformat(f"{of_month}-{story.rng.randint(1, 28 - length):02d}")
    last = first + timedelta(days=length - 1)
    rows = story.as_usual(caller)
    extra = [
        {
            **row,
            "cost": row["cost"] * Decimal(factor - 1),
            "tokens": row["tokens"] * Decimal(factor - 1),
        }
        for row in rows
        if first <= row["usage_date"] <= last
    ]
    for row in extra:  # as the bill writes amounts
        row["cost"] = row["cost"].quantize(Decimal("1E-12"))
        row["tokens"] = row["tokens"].quantize(Decimal(1))
    return rows + extra, first, last, cost(extra)


@drawn
@given(stories)
def test_a_runaway_is_named_with_its_days_and_its_end(story: Story) -> None:
    caller = story.rng.choice(story.callers)
    rows, first, last, excess = runaway(story, caller, story.month)
    later = whole_bill(story.month)
    answers = answers_over(story.others(caller) + rows)
    found = about(answers, story.month, caller, "runaway on")
    days = f"{first.day}" if first == last else f"{first.day}–{last.day}"
    assert found.words == f"{caller}: runaway on {days} {short_month(story.month)}"
    assert (found.first_day, found.last_day) == (first, last)
    assert float(found.amount) == pytest.approx(excess, rel=CLOSE)
    assert found.unit.endswith(f"/{caller}")
    assert causes(answers, later.narrowed("team", story.team_of[caller]))[0] == found


@drawn
@given(stories)
def test_two_runaways_that_offset_each_other_are_both_said(story: Story) -> None:
    early, late = story.rng.sample(story.callers, 2)
    story.team_of[late] = story.team_of[early]
    story.size[late] = story.size[early]
    ended, *_, was = runaway(story, early, previous_month(story.month))
    began, *_, now = runaway(story, late, story.month)
    answers = answers_over(story.others(early, late) + ended + began)
    gone = about(answers, story.month, early, "its runaway of")
    came = about(answers, story.month, late, "runaway on")
    assert gone.what.endswith("ended")
    assert float(gone.amount) == pytest.approx(-was, rel=CLOSE)
    assert float(came.amount) == pytest.approx(now, rel=CLOSE)
    reason = reason_of_team(answers, story.month, story.team_of[early])
    larger, smaller = sorted((gone, came), key=lambda cause: -abs(cause.amount))
    assert larger.words in reason
    assert (smaller.words in reason) == (abs(smaller.amount) >= abs(larger.amount) / 4)


@drawn
@given(stories)
def test_a_switch_of_models_is_named_with_what_it_changed(story: Story) -> None:
    caller, (old, new) = story.rng.choice(story.callers), story.rng.sample(sorted(story.models), 2)
    story.models[old], story.models[new] = Decimal(story.rng.randint(4, 9)), Decimal(1)
    if story.rng.random() < 0.5:
        story.models[old], story.models[new] = story.models[new], story.models[old]
    rows = [
        row
        for day in story.days()
        for row in story.work(caller, day, new if story.this_month(day) else old)
    ]
    now = cost(rows, lambda row: story.this_month(row["usage_date"]))
    unswitched = now * float(story.models[old] / story.models[new])
    answers = answers_over(story.others(caller) + rows)
    found = about(answers, story.month, caller, "→")
    assert found.words == f"{caller}: {old} → {new}"
    assert float(found.amount) == pytest.approx(now - unswitched, rel=CLOSE)
    of_model = causes(answers, whole_bill(story.month).narrowed("model", new))
    assert f"{caller}: moved here from {old}" in [each.words for each in of_model]


@drawn
@given(stories, st.booleans())
def test_a_prompt_cache_that_is_lost_or_won_is_named_with_its_day(
    story: Story, is_lost: bool
) -> None:
    caller, model = story.rng.choice(story.callers), sorted(story.models)[0]
    since = date.fromisoformat(f"{story.month}-{story.rng.randint(4, 24):02d}")
    share = story.rng.uniform(0.5, 0.9)
    rows = [
        row
        for day in story.days()
        for row in story.work(caller, day, model, share if (day < since) == is_lost else 0.0)
    ]
    after = [row for row in rows if row["usage_date"] >= since and row["token_type"] in SENT]
    input_tokens = float(exact_sum(row["tokens"] for row in after)) / MILLION
    dearer = float((PRICES["input"] - PRICES["cache read"]) * story.models[model])
    answers = answers_over(story.others(caller) + rows)
    found = about(answers, story.month, caller, "prompt cache")
    said = "prompt cache lost" if is_lost else "prompt cache in use"
    assert found.words == f"{caller}: {said} since {day_name(since)}"
    sign = 1 if is_lost else -1
    assert float(found.amount) == pytest.approx(sign * share * input_tokens * dearer, rel=CLOSE)


@drawn
@given(stories, st.sampled_from(["team", "tenant", "project", "cost_center"]))
def test_a_tag_that_arrives_is_named_with_its_day_and_is_not_spent(
    story: Story, dimension: str
) -> None:
    caller, (unit,) = story.rng.choice(story.callers), story.names(1)
    since = date.fromisoformat(f"{story.month}-{story.rng.randint(6, 24):02d}")
    rows = story.as_usual(caller)
    for row in rows:
        row[dimension] = unit if row["usage_date"] >= since else UNALLOCATED
    arrived = cost(rows, lambda row: row["usage_date"] >= since)
    untagged = [row for row in rows if row[dimension] == UNALLOCATED]
    before, left = (
        cost(untagged, lambda row, now=now: story.this_month(row["usage_date"]) is now)  # type: ignore[misc]
        for now in (False, True)
    )
    answers, view = answers_over(story.others(caller) + rows), whole_bill(story.month)
    moved = min(arrived, before - left)
    (found,) = (c for c in causes(answers, view.narrowed(dimension, unit)) if "tag" in c.what)
    noun = dimension.replace("_", " ")
    assert found.words == f"{caller}: {noun} tag arrived on {day_name(since)}"
    assert float(found.amount) == pytest.approx(moved)
    (lost,) = (c for c in causes(answers, view.narrowed(dimension, UNALLOCATED)) if "tag" in c.what)
    assert lost.amount == -found.amount
    assert not [each for each in causes(answers, view) if "tag" in each.what]


@drawn
@given(stories)
def test_callers_that_come_and_go_are_named(story: Story) -> None:
    came, went = story.rng.sample(story.callers, 2)
    since = date.fromisoformat(f"{story.month}-{story.rng.randint(6, 24):02d}")
    new = [row for row in story.as_usual(came) if row["usage_date"] >= since]
    gone = [row for row in story.as_usual(went) if not story.this_month(row["usage_date"])]
    answers = answers_over(story.others(came, went) + new + gone)
    found = about(answers, story.month, came, "new caller")
    assert found.what == f"new caller since {day_name(since)}"
    assert float(found.amount) == pytest.approx(cost(new))
    assert float(about(answers, story.month, went, "no longer calls").amount) == -cost(gone)


@drawn
@given(stories)
def test_a_price_is_named_with_its_change_over_all_callers(story: Story) -> None:
    percent = story.rng.choice([-50, -20, 10, 25])
    rows, factor = story.others(), Decimal(100 + percent) / 100
    for row in rows:
        if story.this_month(row["usage_date"]):
            row["cost"] = (row["cost"] * factor).quantize(Decimal("1E-12"))
    now = cost(rows, lambda row: story.this_month(row["usage_date"]))
    (found,) = (c for c in causes(answers_over(rows), whole_bill(story.month)) if "price" in c.what)
    assert found.words == f"{sorted(story.models)[0]}: price {percent:+}.0 %"
    assert float(found.amount) == pytest.approx(now - now / float(factor))


@drawn
@given(stories)
def test_more_work_and_a_cheaper_mix_are_both_said(story: Story) -> None:
    caller, (old, new) = story.rng.choice(story.callers), sorted(story.models)[:2]
    story.models[old], story.models[new] = Decimal(4), Decimal(2)
    story.team_of = {each: f"team of {each}" for each in story.callers}
    growth = story.rng.uniform(1.6, 2.4)
    rows = [
        row
        for day in story.days()
        for model, part in ((old, 0.4), (new, 0.6))
        for row in story.work(
            caller,
            day,
            model if story.this_month(day) else old,
            times=part * (growth if story.this_month(day) else 1),
        )
    ]
    answers = answers_over(story.others(caller) + rows)
    reason = reason_of_team(answers, story.month, f"team of {caller}")
    more, less = sorted(reason.split("; "), reverse=True)
    assert {more[0], less[0]} == {"+", "-"}
    assert f"{caller}: more tokens (+" in reason
    assert f"{caller}: {old} → {new}" in reason


@drawn
@given(stories)
def test_an_ordinary_month_has_no_stories(story: Story) -> None:
    answers = answers_over(story.others())
    said = [each.what for each in causes(answers, whole_bill(story.month))]
    assert said
    for word in ("runaway", "→", "cache", "tag", "new caller", "no longer", "price"):
        assert not [what for what in said if word in what], word


def test_a_job_of_one_day_a_week_is_no_runaway() -> None:
    story = Story(1)
    story.callers = story.callers[:2]
    weekly, daily = story.callers
    job = [row for row in story.as_usual(weekly) if row["usage_date"].weekday() == 2]
    found = causes(answers_over(story.others(weekly) + job), whole_bill(story.month))
    assert daily in {each.who for each in found}
    assert not [each for each in found if "runaway" in each.what]
