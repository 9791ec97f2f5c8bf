"""One bill, its store and its rules: what the command line and the pages both work on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock
from pydantic import TypeAdapter, ValidationError

from chargeback.access.change import Actor, require_change
from chargeback.billing_period import month_of, now, today
from chargeback.enrichment.delivery import delivery_comparison
from chargeback.enrichment.folding import SessionFolding
from chargeback.enrichment.local_tables import LocalTables
from chargeback.enrichment.owner_facts import OwnerFacts
from chargeback.enrichment.rules import Rules
from chargeback.enrichment.tables import Tables
from chargeback.errors import Problem, SourceProblem, UsageProblem
from chargeback.files.atomic import write_whole
from chargeback.ledger.chain import closed_months
from chargeback.ledger.ledger import Ledger
from chargeback.ledger.objects import LedgerProblem
from chargeback.memory import Memory
from chargeback.notices import Notice
from chargeback.reports.answers import Answers, memory
from chargeback.settings import Settings, demo_folder
from chargeback.sources.athena.costs import AthenaCosts
from chargeback.sources.base import Source, SourcePeriod
from chargeback.sources.local.files import LocalFiles
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.store.base import Progress, Refresh, Store, StoredPeriod
from chargeback.store.local import DamagedFacts, LocalStore
from chargeback.store.manifest import SCHEMA_VERSION, Acceptance, Manifest, Refusal

if TYPE_CHECKING:
    from chargeback.sources.athena.table import AthenaTable
    from chargeback.sources.billing.answers import AwsEndpoint, Endpoint
    from chargeback.sources.billing.cost_explorer import CostExplorer
    from chargeback.sources.billing.invoices import Invoices

# What speaks to AWS, and the demo, are imported where they are opened: boto3, botocore and PyAthena
# take as long to import as everything else, and a bill in files needs none of them.

DEMO_MONTHS = 14
RULES_KNOWN = 2
"""Under which answers are remembered: those in force, and those before or in a preview."""


@dataclass(frozen=True)
class Workspace:
    """Everything that is configured, opened lazily. Cheap to make."""

    settings: Settings

    @cached_property
    def source(self) -> Source:
        """Where the bill comes from; in demo mode its files are written first if need be."""
        if self._athena_table is not None:
            return self._athena_table
        if self.settings.cur is not None:
            return LocalFiles(self.settings.cur, self.settings.bill)
        return LocalFiles(demo_folder() / "cur", self.settings.bill, name="Demo bill")

    @cached_property
    def _athena_table(self) -> AthenaTable | None:
        if self.settings.athena is None:
            return None
        from chargeback.sources.athena.table import AthenaTable  # noqa: PLC0415  (slow)

        return AthenaTable(self.settings.athena, self.athena_costs)

    @property
    def store(self) -> Store[Any]:
        """The spend store."""
        return self._store_and_tables[0]

    @cached_property
    def _store_and_tables(self) -> tuple[Store[Any], Callable[[Sequence[Any], Rules], Tables]]:
        """The spend store, and what opens its periods for reports."""
        if self.settings.store.is_in_athena and self._athena_table is not None:
            from chargeback.enrichment.athena_tables import AthenaTables  # noqa: PLC0415  (slow)
            from chargeback.store.athena.store import AthenaStore  # noqa: PLC0415  (slow)

            athena = AthenaStore(self.settings.store_folder, self._athena_table)
            return athena, partial(AthenaTables.open, athena)
        local = LocalStore(self.settings.store_folder)
        return local, partial(LocalTables, local)

    @property
    def athena_costs(self) -> AthenaCosts:
        """What this program's queries in Athena have cost."""
        return AthenaCosts(self.settings.store_folder)

    @property
    def cost_explorer(self) -> CostExplorer:
        """Cost Explorer of the account that boto3's credentials open; in demo mode the demo's."""
        from chargeback.sources.billing.cost_explorer import CostExplorer  # noqa: PLC0415  (slow)

        return CostExplorer(self._answers_folder, self._billing)

    @property
    def invoices(self) -> Invoices:
        """The invoices of the same account."""
        from chargeback.sources.billing.invoices import Invoices  # noqa: PLC0415  (slow)

        return Invoices(self._answers_folder, self._billing)

    @cached_property
    def _billing(self) -> Endpoint | AwsEndpoint:
        from chargeback.sources.billing.answers import AwsEndpoint, Endpoint  # noqa: PLC0415  (slow)

        if not self.settings.is_demo:
            return AwsEndpoint()
        from chargeback.demo.billing_api import BillingApi  # noqa: PLC0415  (only the demo's)

        return Endpoint(BillingApi(demo_folder() / "cur").start().url)

    @property
    def _answers_folder(self) -> Path:
        """Where answers about this bill are kept; a demo bill is another one when rewritten."""
        bill = self.source.source_id
        if self.settings.is_demo:
            versions = [period.version for period in self.source.periods()]
            bill = sha256("".join(versions).encode()).hexdigest()[:16]
        return self.settings.store_folder / "cost-explorer" / bill

    @cached_property
    def ledger(self) -> Ledger:
        """Closed months, and who changed what."""
        return self.settings.open_ledger()

    @property
    def allocation(self) -> AllocationSettings:
        """What follows usage, and the rules; in demo mode the demo's unless others are set."""
        if self.settings.is_demo and not self.settings.allocation.is_set:
            from chargeback.demo.rules import ALLOCATION  # noqa: PLC0415  (only the demo's)

            return AllocationSettings.model_validate(ALLOCATION)
        return self.settings.allocation

    @property
    def rules(self) -> Rules:
        """What decides what a line means."""
        return Rules(self.settings.attribution, self.settings.cost_basis, self.settings.bill)

    def folding(self, rules: Rules | None = None) -> SessionFolding:
        """Which sessions of a role are kept as one, under the rules in force or others."""
        principals = (rule.take.principal for rule in self.allocation.rules)
        return SessionFolding(
            self.settings.store.fold_sessions_above,
            (rules or self.rules).attribution,
            tuple(dict.fromkeys(filter(None, principals))),
            self._closed_months,
        )

    def _closed_months(self) -> frozenset[str] | None:
        try:
            return closed_months(self.ledger.objects)
        except (LedgerProblem, OSError):
            return None

    def _how(self, accept: tuple[str, Acceptance] | None, *, older: bool | None) -> Refresh:
        """How the store is brought up to date; `older` as `refresh` has it."""
        return Refresh(
            delivery_comparison(self.rules),
            older=not self.source.is_charged if older is None else older,
            accept=accept,
            folding=self.folding(),
        )

    def write_demo_bill(self, progress: Progress | None = None) -> None:
        """In demo mode: writes the demo bill, unless the one of this month is there."""
        if not self.settings.is_demo:
            return
        from chargeback.demo import write_demo  # noqa: PLC0415  (only the demo's)

        folder, month = demo_folder() / "cur", month_of(today())
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(demo_folder() / ".lock"):
            if not list(folder.glob(f"*/data/BILLING_PERIOD={month}/*.parquet")):
                write_demo(folder, today=today(), months=DEMO_MONTHS, progress=progress)

    def out_of_date(self) -> list[SourcePeriod]:
        """The periods of which the source holds something newer than the store, newest first.

        A month that an earlier version of this program read, or of which other sessions are kept as
        one now, is not among them where reading it anew costs money: that is for a refresh that
        somebody asks for.

        Raises:
            SourceProblem: the source can't be asked now.
        """
        return self.store.behind(self.source, self._look(), self._how(None, older=None))

    def refresh(
        self,
        month: str | None = None,
        months: int | None = None,
        progress: Progress | None = None,
        *,
        older: bool | None = None,
        accept: Acceptance | None = None,
    ) -> list[str]:
        """Brings one month, the newest `months`, or all months up to date; returns those read.

        Args:
            month: YYYY-MM, or None for all.
            months: only the newest so many, or None for all.
            progress: hears of each month.
            older: whether months are read anew that an earlier version of this program read, or of
                which other sessions are kept as one now; None does so where that costs nothing.
            accept: who takes the delivery of `month`, though it holds less.

        Raises:
            UsageProblem: the source does not hold `month`, or there is nothing to accept.
            SourceProblem: a period can't be read; the others stand.
        """
        self.write_demo_bill(progress)
        periods = self._look()
        if month is not None:
            periods = [period for period in periods if period.billing_period == month]
            if not periods:
                raise UsageProblem(
                    f"The bill holds no billing period {month}.",
                    todo="Choose a month that the export holds.",
                )
        how = self._how((month, accept) if month and accept else None, older=older)
        return self.store.refresh(self.source, periods[:months], how, progress)

    def accept(self, month: str, actor: Actor, progress: Progress | None = None) -> list[str]:
        """Takes the delivery of a month that holds less than the version in force.

        Where the bill no longer holds the month at all, it goes from view. Who did so is kept with
        the month and in the ledger.

        Returns:
            The billing periods that were read.

        Raises:
            ChangeRefused: they may not change figures.
            UsageProblem: no delivery of the month waits to be accepted, or another has come since
                that holds less too.
            SourceProblem: it can't be read.
        """
        require_change(actor, self.settings, f"accept the delivery of {month}")
        before = self._standing(month)
        read = self._accept(month, str(actor), progress)
        self.ledger.record(
            who=str(actor),
            what=f"accepted the delivery of {month}",
            before=before,
            after=self._standing(month),
        )
        return read

    def _accept(self, month: str, who: str, progress: Progress | None) -> list[str]:
        if month not in {period.billing_period for period in self._look()}:
            self.store.accept_gone(self.source.source_id, month)
            return []
        acceptance = Acceptance(who=who, at=now())
        read = self.refresh(month, progress=progress, older=True, accept=acceptance)
        if month not in read:
            raise UsageProblem(
                f"A newer delivery of {month} has arrived since, and it holds less too.",
                "Nothing was accepted.",
                "Check what it holds, then accept it if it is right.",
            )
        return read

    def _standing(self, month: str) -> dict[str, Any] | None:
        """What the ledger says of a month's version: which it is, and what it comes to."""
        stored = (p.manifest for p in self.store.periods(self.source.source_id))
        manifest = next((m for m in stored if m.billing_period == month), None)
        return manifest and {
            "source_version": manifest.source_version,
            "unblended": {each.currency: f"{each.unblended_total:f}" for each in manifest.totals},
        }

    def waiting(self) -> dict[str, Refusal]:
        """Deliveries that hold less than the version in force, by month, newest first."""
        stored = self.store.periods(self.source.source_id)
        return {p.manifest.billing_period: p.refusal for p in stored if p.refusal}

    def older_months(self) -> list[Manifest]:
        """What an earlier version of this program read and the bill still holds."""
        return self._held(lambda manifest: manifest.schema_version < SCHEMA_VERSION)

    def refolded_months(self) -> list[Manifest]:
        """Of which other sessions are kept as one now, and which the bill still holds.

        Raises:
            OwnerListError: an owner list can't be used.
        """
        folding = self.folding()
        return self._held(lambda read: folding.is_outdated(read.billing_period, read.folded))

    def _held(self, is_one: Callable[[Manifest], bool]) -> list[Manifest]:
        stored = (period.manifest for period in self.store.periods(self.source.source_id))
        found = [manifest for manifest in stored if is_one(manifest)]
        if not found:  # the source is asked only where it matters
            return []
        held = {period.billing_period for period in self._look()}
        return [manifest for manifest in found if manifest.billing_period in held]

    def ensure(self, month: str, progress: Progress | None = None) -> Problem | None:
        """Brings `month` up to date; returns why not if what was read before must do.

        Raises:
            UsageProblem: neither the source nor the store holds the month.
            SourceProblem: it can't be read, and never was.
        """
        try:
            self.refresh(month, progress=progress)
        except (UsageProblem, SourceProblem) as problem:
            stored = self.store.periods(self.source.source_id)
            if month not in {period.manifest.billing_period for period in stored}:
                raise
            return problem
        return None

    def answers(self) -> Answers:
        """The reports over what the store holds now; a month that is damaged is read again."""
        found = self.answers_on(self.store.periods(self.source.source_id))
        damaged = [m for m, why in found.problems.items() if isinstance(why, DamagedFacts)]
        if not damaged:
            return found
        for month in damaged:
            with suppress(SourceProblem, UsageProblem):
                self.refresh(month)
        return self.answers_on(self.store.periods(self.source.source_id))

    def answers_on(self, periods: Sequence[StoredPeriod], rules: Rules | None = None) -> Answers:
        """The reports over some versions of billing periods, under the rules in force or others.

        Raises:
            OwnerListError: an owner list can't be used.
        """
        rules, (_, open_tables) = rules or self.rules, self._store_and_tables
        key, tables = rules.cache_key, open_tables(periods, rules)
        # Unless an owner list was written meanwhile: then nobody knows which one was read.
        known = self._answered.of(key, memory) if rules.cache_key == key else memory()
        folded = {p.manifest.billing_period: p.manifest.folded for p in periods}

        def month_notices(month: str) -> tuple[Notice, ...]:
            return self.folding(rules).notices(month, folded[month])

        return Answers(periods, rules, tables, self.bill_notices, month_notices, known)

    @cached_property
    def _answered(self) -> Memory:
        """By rules: what a month has answered stays known while its version is the same."""
        return Memory(RULES_KNOWN)

    def owner_facts(self) -> OwnerFacts | None:
        """What the stored months say of callers; None where asking would cost, in Athena."""
        store = self.store
        if not isinstance(store, LocalStore):
            return None
        return OwnerFacts(store, store.periods(self.source.source_id), self.rules)

    @property
    def bill_notices(self) -> tuple[Notice, ...]:
        """What is odd about the bill as a whole, as of the last look at it by anybody."""
        try:
            return _NOTICES.validate_json(self._notices_file.read_bytes())
        except (OSError, ValidationError):
            return ()

    def _look(self) -> list[SourcePeriod]:
        """The source's periods; what is odd about it, and what it no longer holds, is kept."""
        periods, source_id = self.source.periods(), self.source.source_id
        with suppress(OSError):  # a store that can only be read shows what it knew before
            if self.bill_notices != self.source.notices():
                self._notices_file.parent.mkdir(parents=True, exist_ok=True)
                write_whole(self._notices_file, _NOTICES.dump_json(self.source.notices()))
            self.store.note_gone(source_id, [period.billing_period for period in periods])
        return periods

    @property
    def _notices_file(self) -> Path:
        return self.settings.store_folder / f"bill-{self.source.source_id}.json"


_NOTICES = TypeAdapter(tuple[Notice, ...])
