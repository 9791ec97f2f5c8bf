"""Facts that lie in Athena joined there with what they mean, by the statements of queries/store.

Python reads the distinct identities and meters; Athena joins what they mean to the facts.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, ValidationError

from chargeback import query
from chargeback.aws.s3 import StoredObject
from chargeback.enrichment.bill import Bill, bill_of
from chargeback.enrichment.classify import (
    ATTRIBUTED_IDENTITIES,
    BATCH,
    RECOGNISED_METERS,
    attributed_identities,
    read_meters,
    recognised_meters,
)
from chargeback.enrichment.rules import Rules
from chargeback.enrichment.schemas import daily_schema, monthly_schema
from chargeback.errors import SourceProblem
from chargeback.sources.athena.settings import AthenaSettings
from chargeback.store.athena.catalog import StoreTable
from chargeback.store.athena.store import AthenaPeriod, AthenaStore

RULES_KEPT = 4
"""Of one version of a period: enough for pages and exports under different rules."""
FOLDER = "enriched/"
"""Of the objects that say where the rows of a version of the facts lie, and what they come to."""


class AthenaEnrichedPeriod(BaseModel):
    """A version of the facts under some rules: a version of the tables, and what it comes to."""

    model_config = ConfigDict(frozen=True)

    billing_period: str
    version: str
    bill: Bill


def enriched_tables(settings: AthenaSettings) -> dict[str, StoreTable]:
    """The tables that hold what facts mean, by the names that statements know them by."""
    schemas = {
        "attributed_identities": ATTRIBUTED_IDENTITIES,
        "recognised_meters": RECOGNISED_METERS,
        "daily": daily_schema(),
        "monthly": monthly_schema(),
    }
    return {kind: StoreTable(kind, schema, settings) for kind, schema in schemas.items()}


@dataclass(frozen=True, slots=True)
class AthenaEnrichment:
    """Works out what versions of the facts mean; an object for each says where it lies."""

    store: AthenaStore
    tables: Mapping[str, StoreTable]

    def of(self, periods: Sequence[AthenaPeriod], rules: Rules) -> dict[str, AthenaEnrichedPeriod]:
        """What periods mean under `rules`, by month: worked out unless it is there already.

        Raises:
            SourceProblem: Athena or S3 can't be asked.
            OwnerListError: an owner list can't be used.
        """

        def enrich(period: AthenaPeriod) -> tuple[str, AthenaEnrichedPeriod]:
            return period.manifest.billing_period, self._of(period, rules)

        with ThreadPoolExecutor(self.store.parallel) as pool:
            return dict(pool.map(enrich, periods))

    def drop_unused(self) -> None:
        """Drops what facts meant that the store no longer keeps. Raises SourceProblem."""
        # Listed first: what is worked out meanwhile is of a version that the store kept before.
        names = self.store.objects.names(FOLDER)
        kept = self.store.versions_kept()
        for name in names:
            if name.removeprefix(FOLDER).partition("/")[0] not in kept:
                self._drop(name)

    def _of(self, period: AthenaPeriod, rules: Rules) -> AthenaEnrichedPeriod:
        name = f"{FOLDER}{period.version}/{rules.cache_key}"
        while (found := _read(self.store.objects.get(name))) is None:
            self._work_out(name, period, rules)
        return found

    def _work_out(self, name: str, period: AthenaPeriod, rules: Rules) -> None:
        objects, month = self.store.objects, period.manifest.billing_period
        version, is_first, before = uuid.uuid4().hex, False, objects.get(name)
        try:
            bill = self._write(period, version, rules)
            written = AthenaEnrichedPeriod(billing_period=month, version=version, bill=bill)
            is_first = objects.replace(name, written.model_dump_json().encode(), before)
        finally:
            if not is_first:  # it failed, or another process was faster: its tables say the same
                self.store.versions.drop(month, version, *self.tables.values())
        with suppress(SourceProblem):
            for old in objects.names(f"{FOLDER}{period.version}/")[:-RULES_KEPT]:
                self._drop(old)

    def _write(self, period: AthenaPeriod, version: str, rules: Rules) -> Bill:
        versions, tables, month = self.store.versions, self.tables, period.manifest.billing_period
        versions.create(*tables.values())
        facts = self.store.facts(period)

        def ask(name: str) -> pa.Table:
            taken = query.select_parameters(query.load(name), rules.parameters)
            return versions.download(name, taken, spend=facts)

        meters = read_meters(ask("store/meters"))
        bill = bill_of(ask, meters, month, rules)
        found = ask("store/identities").to_batches(max_chunksize=BATCH)
        identities = attributed_identities(found, rules.attribution)
        read = {"attributed_identities": identities, "recognised_meters": recognised_meters(meters)}
        daily = query.with_table(query.load("store/daily"), "spend", facts)
        for kind, rows in read.items():
            versions.upload(tables[kind], rows, month, version)
            daily = query.with_table(daily, kind, tables[kind].rows({month: version}))
        parameters = query.select_parameters(query.load("store/daily"), rules.parameters)
        net_payers = {"net_payers": bill.net_payers}
        versions.insert(tables["daily"], daily, parameters | net_payers, month, version)
        rows = tables["daily"].rows({month: version})
        monthly = query.with_table(query.load("store/monthly"), "enriched", rows)
        versions.insert(tables["monthly"], monthly, {}, month, version)
        return bill

    def _drop(self, name: str) -> None:
        found = _read(self.store.objects.get(name))
        self.store.objects.delete(name)
        if found:
            tables = self.tables.values()
            self.store.versions.drop(found.billing_period, found.version, *tables)


def _read(found: StoredObject | None) -> AthenaEnrichedPeriod | None:
    """What an object says, unless it is damaged: then it is worked out anew."""
    try:
        return AthenaEnrichedPeriod.model_validate_json(found.body) if found else None
    except ValidationError:
        return None
