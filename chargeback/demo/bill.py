"""Turns the story into metered CUR 2.0 lines: how much of what on which day.

Dollars come first (the month's spend, by meter and day); prices turn them into whole tokens, and
whole tokens times the price in force are the costs. A cell is one meter on one day; it becomes one
line for the day, or several for its hours, or none in a small export.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from chargeback.demo import company
from chargeback.demo.company import Rhythm
from chargeback.demo.extras import beside, other_services
from chargeback.demo.lines import Integers, Lines, Period, Times
from chargeback.demo.meters import E10
from chargeback.demo.settlement import discount_lines, tax_lines
from chargeback.demo.usage import Running, price_factor, running, usage_template

Floats = npt.NDArray[np.float64]

# Relative use from Monday to Sunday.
_WEEK: Mapping[Rhythm, tuple[float, ...]] = MappingProxyType(
    {
        "office": (0.96, 1.04, 1.06, 1.02, 0.88, 0.11, 0.08),
        "customers": (1.0, 1.04, 1.03, 1.02, 0.97, 0.66, 0.58),
        "machine": (1.0, 1.0, 1.02, 1.0, 1.0, 0.96, 0.95),
    }
)
_FIRST_MORNING = 0.25
"""On the first of the month the only day there is has just begun."""
_OLDEST_LINES = 0.6
"""Lines in the oldest month of the story, of those in the newest."""
_DAY_NOISE, _CELL_NOISE = 0.12, 0.15
_OFFICE_OPENS = 8
_SEED = 20_260_408


class Cells(NamedTuple):
    """The cells that get lines: meter, day of the month from 0, dollars, number of lines."""

    meter: Integers
    day: Integers
    dollars: Floats
    lines: Integers


def lines_of(period: Period, lines: int) -> int:
    """Lines of the period where the newest month, once full, has `lines`."""
    age = min(period.back / (company.STORY_MONTHS - 1), 1.0)
    return round(lines * (1 - (1 - _OLDEST_LINES) * age) * period.covered / period.days)


def _days(period: Period, runs: Sequence[Running]) -> Floats:
    """Share of a month's dollars that falls on each covered day, per meter."""
    weekdays = [(period.first + timedelta(days=i)).weekday() for i in range(period.days)]
    shares = {rhythm: np.array(week)[weekdays] for rhythm, week in _WEEK.items()}
    shares = {rhythm: days / days.sum() for rhythm, days in shares.items()}
    per_meter = np.stack([shares[run.caller.rhythm] for run in runs])[:, : period.covered]
    opening = period.back == 0 and period.today.day == 1
    return per_meter * (_FIRST_MORNING if opening else 1.0)


def _noise(runs: Sequence[Running], days: int, rng: np.random.Generator) -> Floats:
    """Random factors around 1 by meter and day; a caller's meters move together."""
    names = [run.caller.arn for run in runs]
    callers, of_meter = np.unique(names, return_inverse=True)
    together = rng.lognormal(0.0, _DAY_NOISE, (len(callers), days))[of_meter]
    return np.asarray(together * rng.lognormal(0.0, _CELL_NOISE, (len(runs), days)))


def _dollars(period: Period, runs: Sequence[Running], rng: np.random.Generator) -> Floats:
    """Dollars by meter and day at base prices, the runaway included."""
    monthly = np.array([run.dollars for run in runs])
    spent = monthly[:, None] * _days(period, runs) * _noise(runs, period.covered, rng)
    if period.back == company.RUNAWAY_BACK:
        agent = [i for i, run in enumerate(runs) if run.caller is company.RUNAWAY]
        spent[np.ix_(agent, [day - 1 for day in company.RUNAWAY_DAYS])] *= company.RUNAWAY_FACTOR
    return spent


def _largest_by(groups: Sequence[str], dollars: Floats) -> list[int]:
    """The meter with the most dollars in each group."""
    largest: dict[str, int] = {}
    for i in np.argsort(dollars, kind="stable"):
        largest[groups[i]] = int(i)
    return sorted(largest.values())


def _indispensable(
    runs: Sequence[Running], dollars: Floats, rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Cells that even the smallest export has: each caller, each meter, each day once."""
    total = dollars.sum(axis=1)
    by_caller = _largest_by([run.caller.arn for run in runs], total)
    by_meter = _largest_by([run.meter.usage_type for run in runs], total)
    meters = np.array([*by_caller, *by_meter])
    kept = np.zeros(dollars.shape, dtype=np.bool_)
    kept[meters, rng.integers(0, dollars.shape[1], len(meters))] = True
    kept[dollars.argmax(axis=0), np.arange(dollars.shape[1])] = True
    return kept


def _chosen(
    runs: Sequence[Running], dollars: Floats, lines: int, rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Which cells get lines: all, or the indispensable and a sample in favour of large ones."""
    kept = _indispensable(runs, dollars, rng)
    if lines >= dollars.size:
        return np.ones_like(kept)
    # Weighted sampling without replacement (Efraimidis and Spirakis 2006).
    order = rng.exponential(size=dollars.shape) / np.sqrt(dollars)
    order[kept] = 0.0
    count = max(lines, int(kept.sum()))
    chosen = np.zeros(dollars.size, dtype=np.bool_)
    chosen[np.argsort(order, axis=None, kind="stable")[:count]] = True
    return chosen.reshape(dollars.shape)


def _cells(runs: Sequence[Running], dollars: Floats, lines: int, rng: np.random.Generator) -> Cells:
    """The cells with lines; the dollars of the others go to those of the same day."""
    chosen = _chosen(runs, dollars, lines, rng)
    meter, day = np.nonzero(chosen)
    lift = dollars.sum(axis=0) / np.where(chosen, dollars, 0.0).sum(axis=0)
    kept = dollars[meter, day] * lift[day]
    spare = max(lines - len(kept), 0)
    reached = np.rint(spare * np.cumsum(np.sqrt(kept)) / np.sqrt(kept).sum()).astype(np.int64)
    more = np.diff(reached, prepend=0)
    return Cells(meter.astype(np.int64), day.astype(np.int64), kept, 1 + more)


def _times(period: Period, cells: Cells, cell: Integers, nth: Integers) -> tuple[Times, Times]:
    """Start and end: the whole day where a cell has one line, else an hour for each."""
    midnight = np.datetime64(period.first.isoformat(), "s") + cells.day[cell] * 86_400
    hourly = cells.lines[cell] > 1
    hour = np.where(hourly, (_OFFICE_OPENS + nth) % 24, 0)
    start = midnight + hour * 3_600
    return start, start + np.where(hourly, 3_600, 86_400)


def _rates(period: Period, runs: Sequence[Running]) -> tuple[Floats, Integers]:
    """Per meter, base price in dollars and price in force in 1e-10 dollars, of one quantum."""
    base = [run.meter.rate() / E10 for run in runs]
    in_force = [run.meter.rate(price_factor(run.offer, period)) for run in runs]
    return np.array(base), np.array(in_force, dtype=np.int64)


def metered(period: Period, lines: int, rng: np.random.Generator) -> Lines:
    """About `lines` lines of metered Bedrock use, all with whole quanta and exact costs."""
    runs = running(period)
    cells = _cells(runs, _dollars(period, runs, rng), lines, rng)
    cell = np.repeat(np.arange(len(cells.lines)), cells.lines)
    nth = np.arange(len(cell)) - np.repeat(np.cumsum(cells.lines) - cells.lines, cells.lines)
    start, end = _times(period, cells, cell, nth)
    part = rng.uniform(0.6, 1.4, len(cell))
    part /= np.bincount(cell, part)[cell]
    meter = cells.meter[cell]
    base, in_force = _rates(period, runs)
    quanta = np.maximum(cells.dollars[cell] * part / base[meter], 1).astype(np.int64)
    recorded = start >= np.datetime64(company.IAM_PRINCIPALS_SINCE.isoformat(), "s")
    templates = [
        usage_template(period, run, recorded=known) for known in (False, True) for run in runs
    ]
    template = meter + recorded * len(runs)
    return Lines(templates, template, start, end, quanta, quanta * in_force[meter])


def bill(period: Period, lines: int) -> Lines:
    """All lines of a billing period, by time; `lines` is what the newest month has once full.

    The same period and `lines` give the same bill.
    """
    rng = np.random.default_rng([_SEED, period.first.year, period.first.month])
    count = lines_of(period, lines)
    bedrock = beside(period)
    used = Lines.concat([metered(period, count - len(bedrock.cost), rng), bedrock])
    charged = Lines.concat([used, discount_lines(period, used), other_services(period, count, rng)])
    return Lines.concat([charged, tax_lines(period, charged)]).by_time()
