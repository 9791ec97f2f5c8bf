"""Over any sequence of restatements, closings and reopenings postings come to the bill."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from chargeback.ledger.chain import verify
from tests.bills import Line, line
from tests.closing.conftest import Company

MONTHS = ("2026-06", "2026-07", "2026-08", "2026-09")
UNITS = ("acme", "globex", "initech", "")
BY = "tenant"
CENT = Decimal("0.01")
AMOUNTS = st.decimals(min_value="0.001", max_value=50, places=3)
LATE = st.tuples(
    st.sampled_from(UNITS),
    st.decimals(min_value=-20, max_value=20, places=3),
    st.sampled_from(["Usage", "Credit", "Tax", "Refund"]),
)


def line_of(unit: str, amount: Decimal, kind: str) -> Line:
    tags = {"tenant": unit} if unit else {}
    return line(amount, kind, account="111122223333", **tags)


class Months(RuleBasedStateMachine):
    """A bill of four months that changes while they are closed and reopened."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        # Whatever falls is taken: this is about what follows from it.
        taken = {"keep_if_usage_falls_by": 1, "keep_if_attributed_falls_by": 1}
        self.company = Company(Path(self.folder.name), close={"by": [BY]}, bill=taken)
        self.bill: dict[str, list[tuple[str, Decimal, str]]] = {}
        self.closed: list[str] = []

    def teardown(self) -> None:
        self.folder.cleanup()

    @initialize(amounts=st.lists(AMOUNTS, min_size=12, max_size=12))
    def begin(self, amounts: list[Decimal]) -> None:
        for at, month in enumerate(MONTHS):
            own = amounts[at * 3 : at * 3 + 3]
            self.bill[month] = [
                (unit, amount + 10, "Usage") for unit, amount in zip(UNITS[:3], own, strict=True)
            ]
        self.first = {month: list(lines) for month, lines in self.bill.items()}
        self._deliver(*MONTHS)

    @rule(month=st.sampled_from(MONTHS), late=st.lists(LATE, min_size=1, max_size=3))
    def restate(self, month: str, late: list[tuple[str, Decimal, str]]) -> None:
        self.bill[month] += late
        self._deliver(month)

    @rule(month=st.sampled_from(MONTHS))
    def take_back_what_came_late(self, month: str) -> None:
        """The bill is again as it was first, to the byte."""
        self.bill[month] = list(self.first[month])
        self._deliver(month)

    @rule(month=st.sampled_from(MONTHS), to=st.sampled_from(UNITS[:3]))
    def backfill_a_tag(self, month: str, to: str) -> None:
        _, amount, kind = self.bill[month][0]
        self.bill[month][0] = (to, amount, kind)
        self._deliver(month)

    @precondition(lambda self: len(self.closed) < len(MONTHS))
    @rule()
    def close(self) -> None:
        month = MONTHS[len(self.closed)]
        self.company.close(month)
        self.closed.append(month)
        self._check()

    @precondition(lambda self: self.closed)
    @rule()
    def reopen(self) -> None:
        self.company.reopen(self.closed.pop())
        assert verify(self.company.workspace.ledger) is None

    def _deliver(self, *months: str) -> None:
        self.company.deliver(
            {month: [line_of(*each) for each in self.bill[month]] for month in months}
        )

    def _check(self) -> None:
        """Right after a close: every closed month is posted as the bill has it now."""
        book = self.company.statements().book
        ids = [
            document.document_id
            for closed in book.closed
            for document in closed.documents(BY).documents
        ]
        assert len(set(ids)) == len(ids)
        for month in self.closed:
            posted = {unit: each.amount for (_, unit), each in book.posted(month, BY).items()}
            exact: dict[str, Decimal] = defaultdict(Decimal)
            for unit, amount, _ in self.bill[month]:
                exact[unit or "(unallocated)"] += amount
            whole = sum(exact.values(), Decimal())
            assert sum(posted.values()) == whole.quantize(CENT, ROUND_HALF_UP), month
            for unit, amount in posted.items():
                assert abs(amount - exact[unit]) < 3 * CENT, (month, unit)
            cleared = sum(book.cleared(month, BY).values(), Decimal())
            assert cleared == sum(posted.values())


TestMonths = Months.TestCase
TestMonths.settings = settings(
    max_examples=6,
    stateful_step_count=9,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # a step takes too long to look for a shorter example
    suppress_health_check=list(HealthCheck),
)
