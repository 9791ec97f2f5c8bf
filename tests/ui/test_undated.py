"""What belongs to no day is named by what it is, and by nothing that is not there."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from chargeback.access.rows import EVERYTHING
from chargeback.formats import money
from chargeback.money import exact_sum
from chargeback.reports.daily import undated_by_kind
from chargeback.reports.view import View
from chargeback.settings import Settings
from chargeback.ui.undated import KINDS, in_words
from chargeback.workspace import Workspace
from tests.bills import MONTH, line, write_bill


def test_only_the_kinds_that_are_there_are_told_apart(tmp_path: Path) -> None:
    lines = [
        *(line("100"), line("8.50", "Tax"), line("-3.25", "Credit")),
        line("36.81", line_item_usage_start_date=datetime(2026, 9, 30, 12)),
        *(line("5.00", "Refund"), line("-5.00", "Refund")),  # come to nothing
    ]
    cur = write_bill(tmp_path / "cur", {MONTH: lines})
    workspace = Workspace(Settings(cur=cur, store=tmp_path / "store"))
    workspace.refresh()
    found = undated_by_kind(workspace.answers(), View(MONTH, "USD", EVERYTHING))
    assert list(found.items()) == [
        ("another month", Decimal("36.81")),
        ("tax", Decimal("8.5")),
        ("credit", Decimal("-3.25")),
    ]


def test_one_kind_is_named_without_its_amount_a_second_time() -> None:
    assert in_words({"another month": Decimal("36.811053")}, "USD") == (
        "$36.81 belongs to no day of the month and is not in the chart: usage of another month."
    )
    assert in_words({}, "USD") == ""


@given(st.dictionaries(st.sampled_from(list(KINDS)), st.decimals(1, "1e7", places=12), min_size=2))
def test_the_amounts_in_words_add_up_to_the_cent(parts: dict[str, Decimal]) -> None:
    whole, said = in_words(parts, "USD").split(" belongs to no day of the month")
    amounts = [Decimal(word.strip("$.")) for word in _words(said) if word.startswith("$")]
    assert len(amounts) == len(parts)
    assert money(exact_sum(amounts), "USD") == whole


def _words(text: str) -> list[str]:
    return text.removesuffix(".").replace(", ", " ").replace(",", "").split()
