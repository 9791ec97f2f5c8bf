"""Works out in Athena what a month's spend means, by the statements of chargeback.enrichment.local.

Python reads the distinct identities and meters; Athena joins what they mean to the spend.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, ValidationError

from chargeback import query
from chargeback.enrichment.bill import Bill
from chargeback.enrichment.local import (
    MEANINGS_KEPT,
    Rules,
    identity_meaning,
    meter_meaning,
    read_meters,
)
from chargeback.errors import SourceProblem
from chargeback.store.athena.catalog import MEANING
from chargeback.store.athena.objects import Held
from chargeback.store.athena.versions import Versions
from chargeback.store.manifest import Manifest


class AthenaMeaning(BaseModel):
    """What a version of `spend` means: the version of the tables, and what the bill comes to."""

    model_config = ConfigDict(frozen=True)

    version: str
    bill: Bill


@dataclass(frozen=True, slots=True)
class AthenaMeanings:
    """Meanings of versions of `spend`; an object for each names its version of the tables."""

    versions: Versions

    def of(self, spend: str, manifest: Manifest, rules: Rules) -> AthenaMeaning:
        """What a version of `spend` means under `rules`.

        Raises:
            SourceProblem: Athena or S3 can't be asked.
            OwnerListError: an owner list can't be used.
        """
        objects, name = self.versions.objects, f"{_folder(spend)}{rules.fingerprint}"
        while (kept := self._kept(objects.get(name))) is None:
            self._work_out(name, spend, manifest, rules)
        return kept

    def forget(self, month: str, spend: str) -> None:
        """Drops all that a version of `spend` meant."""
        for name in self.versions.objects.names(_folder(spend)):
            self._forget(month, name)

    def _work_out(self, name: str, spend: str, manifest: Manifest, rules: Rules) -> None:
        objects, month, version = self.versions.objects, manifest.billing_period, uuid.uuid4().hex
        is_first, before = False, objects.get(name)
        try:
            bill = self._write(manifest, spend, version, rules)
            body = AthenaMeaning(version=version, bill=bill).model_dump_json().encode()
            is_first = objects.replace(name, body, before)
        finally:
            if not is_first:  # it failed, or another process was faster: its tables say the same
                self.versions.drop(MEANING, month, version)
        with suppress(SourceProblem):
            for old in objects.names(_folder(spend))[:-MEANINGS_KEPT]:
                self._forget(month, old)

    def _write(self, manifest: Manifest, spend: str, version: str, rules: Rules) -> Bill:
        of, tables, month = self.versions, self.versions.tables, manifest.billing_period
        of.create(MEANING)
        facts = of.spend(manifest.schema_version).rows({month: spend})

        def ask(name: str) -> pa.Table:
            taken = query.taken(query.load(name), rules.parameters)
            return of.download(name, taken, spend=facts)

        meters = read_meters(ask("spend/meters"))
        bill = rules.bill_of(ask, meters, month)
        known = identity_meaning(ask("spend/identities"), rules.attribution)
        of.upload("identity_meaning", known, month, version)
        of.upload("meter_meaning", meter_meaning(meters), month, version)
        daily = query.with_table(query.load("spend/meaning"), "spend", facts)
        for kind in ("identity_meaning", "meter_meaning"):
            daily = query.with_table(daily, kind, tables[kind].rows({month: version}))
        parameters = query.taken(query.load("spend/meaning"), rules.parameters)
        of.insert("daily", daily, {**parameters, "net_payers": bill.net_payers}, month, version)
        monthly = query.with_table(
            query.load("spend/monthly"), "spend", tables["daily"].rows({month: version})
        )
        of.insert("monthly", monthly, {}, month, version)
        return bill

    def _forget(self, month: str, name: str) -> None:
        kept = self._kept(self.versions.objects.get(name))
        self.versions.objects.delete(name)
        if kept:
            self.versions.drop(MEANING, month, kept.version)

    def _kept(self, held: Held | None) -> AthenaMeaning | None:
        """What an object says, unless it is damaged: then it is worked out anew."""
        try:
            return AthenaMeaning.model_validate_json(held.body) if held else None
        except ValidationError:
            return None


def _folder(spend: str) -> str:
    return f"meanings/{spend}/"
