"""What the stored months say of those who call, to judge an owner list by before it is saved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from chargeback.attribution.attribution import Attribution
from chargeback.attribution.owner_preview import Moved, Unit, preview
from chargeback.attribution.owner_review import Caller, Callers, Span
from chargeback.enrichment.bill import make_bill
from chargeback.enrichment.local import asking
from chargeback.enrichment.rules import Rules
from chargeback.store.local import LocalPeriod, LocalStore


@dataclass(frozen=True)
class OwnerFacts:
    """One state of a store on disk. What is asked of it works also while no list can be used."""

    store: LocalStore
    periods: Sequence[LocalPeriod]
    """Newest first."""
    rules: Rules

    @property
    def months(self) -> list[str]:
        """The billing periods, newest first."""
        return [period.manifest.billing_period for period in self.periods]

    @cached_property
    def callers(self) -> Callers:
        """Everybody on the bill. Raises SourceProblem where a month can't be read."""
        found: dict[Caller, list[Span]] = defaultdict(list)
        for period in self.periods:
            with asking(self.store, period, self.rules.parameters) as ask:
                for row in ask("store/callers").to_pylist():
                    caller = Caller(row["usage_account_id"], row["iam_principal"])
                    found[caller].append((row["first_day"], row["last_day"]))
        return found

    def preview(
        self, now: Attribution, then: Attribution, months: int
    ) -> dict[str, Mapping[Unit, Moved]]:
        """What each unit comes to now and then in the newest so many months, newest first.

        Raises:
            OwnerListError: rows of a list contradict each other for somebody.
            SourceProblem: a month can't be read.
        """
        return {
            period.manifest.billing_period: preview(
                now, then, self._billed(period), period.manifest.billing_period
            )
            for period in self.periods[:months]
        }

    def _billed(self, period: LocalPeriod) -> pa.Table:
        """What the bill charges each identity, as the pages have it."""
        rules = self.rules
        with asking(self.store, period, rules.parameters) as ask:
            bill = make_bill(
                ask("store/payers").to_pylist(),
                [],
                settled=rules.bill.basis,
                default=rules.cost_basis,
                excluded=rules.bill.exclude_products,
            )
        with asking(self.store, period, rules.parameters | {"net_payers": bill.net_payers}) as ask:
            return ask("store/billed_by_identity")
