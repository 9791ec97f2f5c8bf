"""Which exports count where several bill one payer, and files that are there twice."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from chargeback.errors import SourceProblem
from chargeback.notices import Notice, notice
from chargeback.sources.base import StoreKnowledge
from chargeback.sources.bill_settings import BillSettings
from chargeback.sources.local.delivery import STAYS, Delivery, listed
from chargeback.sources.local.table import Connection, Files, Table
from chargeback.sources.products import sorted_products

WITH_PRINCIPALS = ("line_item_iam_principal", "tags")
"""An export that has both is the one to take before one that lacks them."""
LENGTH_BYTES = 8
"""At the end of a Parquet file: how long the part before it is that describes the data, and PAR1
(Parquet, "File Format")."""


@dataclass(frozen=True, slots=True)
class ExportChoice:
    """The files that count."""

    files: tuple[Files, ...]
    notices: tuple[Notice, ...]

    @property
    def exports(self) -> tuple[str, ...]:
        """The names of the exports that are read."""
        return tuple(dict.fromkeys(files.export for files in self.files))


def choose(
    connection: Connection,
    deliveries: Sequence[Delivery],
    bill: BillSettings,
    known: StoreKnowledge,
) -> ExportChoice:
    """Which files of a billing period count.

    Raises:
        SourceProblem: a file can't be read, or it can't be told which of several exports counts.
        duckdb.Error: as of reading.
    """
    ranked = sorted(deliveries, key=lambda each: (_rank(each.export, bill, known), each.export))
    single, repeated = _without_repeats(ranked)
    notices = _repeats(repeated, name_exports=len(ranked) > 1)
    if len(single) <= 1:
        return ExportChoice(tuple(single), notices)
    month = ranked[0].month
    payers = _of_all({files.export: _payers(connection, files, month) for files in single})
    if not _contested(payers):
        return ExportChoice(tuple(single), notices)
    # A file that two exports share must not be missing from the one that counts.
    whole = [_without_repeats([delivery])[0][0] for delivery in ranked]
    choice = _Chooser(connection, whole, month, bill, known)
    return ExportChoice(tuple(choice.files()), (*notices, *choice.notices()))


def _rank(export: str, bill: BillSettings, known: StoreKnowledge) -> int:
    return 0 if export == bill.export else 1 if export in known.exports else 2


class _Chooser:
    """Whose lines count where exports bill the same payers."""

    def __init__(
        self,
        connection: Connection,
        files: Sequence[Files],
        month: str,
        bill: BillSettings,
        known: StoreKnowledge,
    ) -> None:
        self.connection, self.month, self.bill, self.known = connection, month, bill, known
        self.all = {each.export: each for each in files}
        self.payers = _of_all({each.export: _payers(connection, each, month) for each in files})
        contested = _contested(self.payers)
        self.taken = {payer: self._take(payer, names) for payer, names in contested.items()}

    def files(self) -> Iterator[Files]:
        """The files of each export, without the payers that another one brings."""
        for export, files in self.all.items():
            left_out = frozenset(self._left_out(export))
            # Lines without a payer go with the others of their export.
            if self.payers[export] - left_out:
                yield Files(export, files.paths, left_out)

    def notices(self) -> Iterator[Notice]:
        """What is left out of each export, per payer and currency."""
        for export, files in self.all.items():
            left_out = self._left_out(export)
            table = Table(self.connection, [files], self.month) if left_out else None
            if table is not None:
                yield from self._totals(export, table, left_out)

    def _left_out(self, export: str) -> list[str]:
        taken = self.taken.items()
        return [payer for payer, by in taken if payer in self.payers[export] and by != export]

    def _totals(self, export: str, table: Table, payers: Sequence[str]) -> Iterator[Notice]:
        products = sorted_products(table.run(table.fit("products")), self.known).keys
        rows = table.run(table.fit("totals"), products=products)
        found = {p: [row for row in rows if row["payer_account_id"] in (p, "")] for p in payers}
        nothing = {"line_count": 0, "unblended_cost": None, "currency": ""}
        for payer in payers:
            for row in found[payer] or [nothing]:
                yield notice(
                    "export-left-out",
                    lines=row["line_count"],
                    amount=row["unblended_cost"],
                    currency=row["currency"],
                    export=export,
                    payer=payer,
                    taken=self.taken[payer],
                )

    def _take(self, payer: str, exports: Sequence[str]) -> str:
        """The export whose lines of a payer count."""
        if self.bill.export is not None and self.bill.export not in self.all:
            self._refuse(payer, exports, f"There is no export {self.bill.export} (section [bill]).")
        rules: tuple[Callable[[str], bool], ...] = (
            lambda export: export == self.bill.export,
            lambda export: export in self.known.exports,
            self._has_principals,
        )
        fitting = ([export for export in exports if rule(export)] for rule in rules)
        only = next((fit for fit in fitting if len(fit) == 1), None)
        return only[0] if only else self._refuse(payer, exports)

    def _has_principals(self, export: str) -> bool:
        columns = Table(self.connection, [self.all[export]], self.month).columns
        return set(WITH_PRINCIPALS) <= set(columns)

    def _refuse(self, payer: str, exports: Sequence[str], first: str = "") -> NoReturn:
        what = (
            f"Several exports bill payer account {payer or '(not said)'} in {self.month}: "
            f"{', '.join(sorted(exports))}."
        )
        raise SourceProblem(
            f"{first} {what}".strip(),
            f"Together they would count the bill more than once. {STAYS}",
            f'Choose one with export = "{min(exports)}" in the section [bill], or remove the '
            "others.",
        )


def _payers(connection: Connection, files: Files, month: str) -> frozenset[str]:
    table = Table(connection, [files], month)
    payers = frozenset(row["payer_account_id"] for row in table.run(table.fit("payers")))
    # Single lines that name no payer don't make two exports bill the same one.
    return payers - {""} or payers


def _of_all(payers: Mapping[str, frozenset[str]]) -> Mapping[str, frozenset[str]]:
    """An export that names no payer may be the bill of any: then all of them bill the same."""
    if frozenset({""}) not in payers.values():
        return payers
    every = frozenset[str]().union(*payers.values())
    return dict.fromkeys(payers, every - {""} or every)


def _contested(payers: Mapping[str, frozenset[str]]) -> dict[str, list[str]]:
    """The payers that several exports bill, with the exports' names."""
    found = defaultdict(list)
    for export, of_export in payers.items():
        for payer in sorted(of_export):
            found[payer].append(export)
    return {payer: exports for payer, exports in found.items() if len(exports) > 1}


def _repeats(repeated: Sequence[tuple[str, Path]], *, name_exports: bool) -> tuple[Notice, ...]:
    names = [f"{export}/{file.name}" if name_exports else file.name for export, file in repeated]
    return (notice("files-repeated", files=listed(names)),) if names else ()


def _without_repeats(
    deliveries: Sequence[Delivery],
) -> tuple[list[Files], list[tuple[str, Path]]]:
    """The files without those that repeat an earlier one byte for byte, and the latter."""
    # Whoever copies a file makes its name longer.
    files = [
        (delivery.export, file)
        for delivery in deliveries
        for file in sorted(delivery.files, key=lambda file: (len(file.name), file.name))
    ]
    repeated = set(_repeated([file for _, file in files]))
    single = [
        Files(delivery.export, tuple(f for f in delivery.files if f not in repeated))
        for delivery in deliveries
    ]
    return [each for each in single if each.paths], [pair for pair in files if pair[1] in repeated]


def _repeated(files: Sequence[Path]) -> Iterator[Path]:
    """Files that repeat an earlier one; all of a file is read only where size and end agree."""
    for of_size in _alike(files, lambda file: file.stat().st_size):
        for described_alike in _alike(of_size, _description):
            for equal in _alike(described_alike, _digest):
                yield from equal[1:]


def _alike(files: Sequence[Path], tell: Callable[[Path], Hashable]) -> list[list[Path]]:
    """Groups of two and more files of which the same is told."""
    groups = defaultdict(list)
    for file in files:
        groups[tell(file)].append(file)
    return [group for group in groups.values() if len(group) > 1]


def _description(file: Path) -> bytes:
    """The end of a Parquet file: where its data lies, with the smallest and largest values."""
    with file.open("rb") as opened:
        size = opened.seek(0, os.SEEK_END)
        opened.seek(max(0, size - LENGTH_BYTES))
        length = int.from_bytes(opened.read(4), "little") + LENGTH_BYTES
        opened.seek(max(0, size - length))
        return opened.read()


def _digest(file: Path) -> bytes:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").digest()
