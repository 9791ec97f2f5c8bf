"""Closed months of which sessions are, or would be, kept as one: only the bill restates them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from pyarrow import parquet

from chargeback.closing.standing import standing
from chargeback.reports.period_status import notices_of
from chargeback.store.settings import FEWEST, StoreSettings
from tests.bills import Line, line
from tests.closing.conftest import SEPTEMBER, Company

ROLE = "arn:aws:sts::111122223333:assumed-role/gw/"
CALLS = [f"{ROLE}call-{number}" for number in range(8)]
LINES: list[Line] = [
    *(line("10", principal=arn, team="search", cost_center="CC1") for arn in CALLS),
    line("20", "Tax", principal=None),
]
CREDIT = line("-3", "Credit", principal=CALLS[0], team="search", cost_center="CC1")
BY_SESSION = {"tenant": [{"pattern": "^(?P<value>call-[01])$", "on": "session"}]}


def company(folder: Path, above: int | None, attribution: object) -> Company:
    store = StoreSettings(location=folder / "store", fold_sessions_above=above)
    return Company(folder, store=store, attribution=attribution)


def sessions(of: Company) -> set[str]:
    """Of the role's, those in the facts of the month."""
    (period,) = of.workspace.store.periods(of.workspace.source.source_id)
    found = set(parquet.read_table(period.spend)["iam_principal"].to_pylist())
    return {each for each in found if each.startswith(ROLE)}


@pytest.mark.parametrize("above", [None, FEWEST])
@pytest.mark.parametrize("attribution", [{}, BY_SESSION], ids=["no rule", "by session"])
def test_a_closed_month_is_restated_by_what_was_delivered_alone(
    tmp_path: Path, above: int | None, attribution: object
) -> None:
    before = company(tmp_path, above, attribution)
    before.deliver({SEPTEMBER: LINES})
    frozen = sessions(before)
    assert (len(frozen) < len(CALLS)) == bool(above)
    before.close(SEPTEMBER)
    # Other settings and rules, under which all sessions would be kept as one.
    now = company(tmp_path, FEWEST, {})
    assert now.workspace.refresh() == []
    assert sessions(now) == frozen
    assert standing(now.statements(), SEPTEMBER).state == "closed"
    now.delivered = 1
    now.deliver({SEPTEMBER: [*LINES, CREDIT]})
    assert sessions(now) == set(CALLS)
    at = standing(now.statements(), SEPTEMBER)
    assert (at.state, at.difference) == ("restated", {"USD": Decimal(-3)})
    for found in at.found:
        causes = {each.cause for each in found.restatement.charges if each.difference}
        assert causes == {"credit"}


def test_a_month_that_is_open_again_is_folded_again(tmp_path: Path) -> None:
    plain = company(tmp_path, None, {})
    plain.deliver({SEPTEMBER: LINES})
    plain.close(SEPTEMBER)
    folding = company(tmp_path, FEWEST, {})
    assert folding.workspace.refresh() == []
    folding.reopen(SEPTEMBER)
    assert folding.workspace.refresh() == [SEPTEMBER]
    assert sessions(folding) == {f"{ROLE}*"}


def test_only_while_a_month_is_open_it_is_said_that_rules_read_its_sessions(
    tmp_path: Path,
) -> None:
    company(tmp_path, FEWEST, {}).deliver({SEPTEMBER: LINES})

    def codes() -> set[str]:
        answers = company(tmp_path, FEWEST, BY_SESSION).workspace.answers()
        return {each.code for each in notices_of(answers, SEPTEMBER)}

    assert "sessions-read-since" in codes()
    company(tmp_path, FEWEST, {}).close(SEPTEMBER)
    assert "sessions-read-since" not in codes()
    company(tmp_path, FEWEST, {}).reopen(SEPTEMBER)
    assert "sessions-read-since" in codes()


def test_where_it_is_not_known_what_is_closed_nothing_is_folded(tmp_path: Path) -> None:
    folding = company(tmp_path, FEWEST, {})
    (tmp_path / "ledger" / "entries").mkdir(parents=True)
    (tmp_path / "ledger" / "entries" / "000001.json").write_text("damaged")
    folding.deliver({SEPTEMBER: LINES})
    assert sessions(folding) == set(CALLS)
