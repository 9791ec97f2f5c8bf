"""Which units lead over the whole history of the bill, whatever month a reader looks at."""

from __future__ import annotations

from dataclasses import replace

from chargeback.reports.answers import Answers
from chargeback.reports.view import View


def leading_units(answers: Answers, view: View, dimension: str, longest: int) -> list[str]:
    """The units that cost most in all months together, largest first, without `(unallocated)`.

    Args:
        answers: of the store.
        view: whose currency and rows count; neither its month nor its filters do.
        dimension: what the units are of.
        longest: how many to give at most.
    """
    newest, oldest = answers.months[0], answers.months[-1]
    history = replace(view.unfiltered, month=newest).since(oldest)
    found = answers.ask(
        "leading_units", history.grain, history, dimension=dimension, longest=longest
    )
    return [str(unit) for unit in found["unit"].to_pylist()]
