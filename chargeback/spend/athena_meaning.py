"""Works out in Athena what a month's spend means, by the statements of chargeback.spend.meaning.

Python reads the distinct identities and meters; Athena joins what they mean to the spend.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass

from chargeback import query
from chargeback.errors import SourceProblem
from chargeback.spend.athena_catalog import MEANING
from chargeback.spend.athena_versions import Versions
from chargeback.spend.meaning import (
    MEANINGS_KEPT,
    Rules,
    identity_meaning,
    meter_meaning,
)
from chargeback.spend.store import Manifest


@dataclass(frozen=True, slots=True)
class AthenaMeanings:
    """Meanings of versions of `spend`; an object for each names its version of the tables."""

    versions: Versions

    def of(self, spend: str, manifest: Manifest, rules: Rules) -> str:
        """The version of the tables that hold what a version of `spend` means under `rules`.

        Raises:
            SourceProblem: Athena or S3 can't be asked.
            OwnerListError: an owner list can't be used.
        """
        objects, name = self.versions.objects, f"{_folder(spend)}{rules.fingerprint}"
        while (held := objects.get(name)) is None:
            self._work_out(name, spend, manifest, rules)
        return held.body.decode()

    def forget(self, month: str, spend: str) -> None:
        """Drops all that a version of `spend` meant."""
        for name in self.versions.objects.names(_folder(spend)):
            self._forget(month, name)

    def _work_out(self, name: str, spend: str, manifest: Manifest, rules: Rules) -> None:
        objects, month, version = self.versions.objects, manifest.billing_period, uuid.uuid4().hex
        is_first = False
        try:
            self._write(month, spend, version, rules, rules.basis_of(manifest))
            is_first = objects.replace(name, version.encode(), None)
        finally:
            if not is_first:  # it failed, or another process was faster: its tables say the same
                self.versions.drop(MEANING, month, version)
        with suppress(SourceProblem):
            for old in objects.names(_folder(spend))[:-MEANINGS_KEPT]:
                self._forget(month, old)

    def _write(self, month: str, spend: str, version: str, rules: Rules, basis: str) -> None:
        of, tables = self.versions, self.versions.tables
        of.create(MEANING)
        identities = of.download("spend/identities", month, spend)
        meters = of.download("spend/meters", month, spend)
        known = identity_meaning(identities, rules.attribution)
        of.upload("identity_meaning", known, month, version)
        of.upload("meter_meaning", meter_meaning(meters), month, version)
        daily = query.with_table(
            query.load("spend/meaning"), "spend", tables["spend"].rows({month: spend})
        )
        for kind in ("identity_meaning", "meter_meaning"):
            daily = query.with_table(daily, kind, tables[kind].rows({month: version}))
        of.insert("daily", daily, {"cost_basis": basis}, month, version)
        monthly = query.with_table(
            query.load("spend/monthly"), "spend", tables["daily"].rows({month: version})
        )
        of.insert("monthly", monthly, {}, month, version)

    def _forget(self, month: str, name: str) -> None:
        held = self.versions.objects.get(name)
        self.versions.objects.delete(name)
        if held:
            self.versions.drop(MEANING, month, held.body.decode())


def _folder(spend: str) -> str:
    return f"meanings/{spend}/"
