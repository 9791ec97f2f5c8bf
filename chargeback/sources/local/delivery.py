"""Which files on disk are the bill: what each export below a folder delivered of each month.

AWS's layout: `EXPORT/data/BILLING_PERIOD=YYYY-MM/*.parquet` and, written after all data files,
`EXPORT/metadata/BILLING_PERIOD=YYYY-MM/…-Manifest.json`, which names them. Exports that keep every
delivery ("create new") have one more folder in both, named by the delivery's time (Data Exports
User Guide, "Understanding export delivery").
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from chargeback.errors import SourceProblem
from chargeback.notices import Notice, notice
from chargeback.sources.delivery_manifest import Manifest, read_manifest
from chargeback.sources.local.folder import (
    MANIFEST,
    PARTITION,
    Entry,
    Listing,
    Partition,
    all_in,
    names_of,
    seen_at,
    unreadable_folder,
)

TIMED = re.compile(r"[0-9]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}")
"""How the name of a delivery's folder begins."""
IRREGULAR = "Only regular files are read."
STAYS = "That month is not brought up to date; figures read earlier stay as they were."


@dataclass(frozen=True, slots=True)
class Delivery:
    """What an export holds of one billing period."""

    export: str
    month: str
    files: tuple[Path, ...]
    looked_at: tuple[Entry, ...]
    """All that decides what is read, the manifest too: a change to them changes the period."""
    notices: tuple[Notice, ...] = ()
    problem: SourceProblem | None = None
    """Why this month of the export can't be read now."""


@dataclass(frozen=True, slots=True)
class Bill:
    """All that lies below a folder."""

    deliveries: tuple[Delivery, ...]
    notices: tuple[Notice, ...]
    """What is odd about the bill as a whole."""


def look(folder: Path) -> Bill:
    """What the exports below a folder hold, without reading any of their data.

    Raises:
        SourceProblem: the folder, or the data of an export, can't be looked at.
    """
    try:
        list(folder.iterdir())
    except OSError as error:
        raise unreadable_folder(error) from error
    found = Listing()
    found.walk(folder)
    names = names_of([partition.export for partition in found.partitions], folder)
    deliveries = [_delivery(each, names[each.export]) for each in found.partitions]
    if not deliveries and found.closed:
        raise unreadable_folder(found.closed[0])
    taken = tuple(each for each in deliveries if each.files or each.problem)
    return Bill(taken, (*found.notices(), *_of_months_without_data(deliveries, taken)))


def _of_months_without_data(
    deliveries: Sequence[Delivery], taken: Sequence[Delivery]
) -> Iterator[Notice]:
    months = {delivery.month for delivery in taken}
    for delivery in deliveries:
        if delivery.month not in months:
            texts = [seen.path for seen in delivery.looked_at if seen.is_text]
            if texts:
                kind = "CSV (.csv.gz)" if texts[0].name.lower().endswith(".gz") else "CSV"
                yield notice("delivery-not-parquet", period=delivery.month, kind=kind)
            else:
                yield from delivery.notices


def _delivery(partition: Partition, export: str) -> Delivery:
    try:
        return _DeliveryFinder(partition, export).delivery()
    except OSError as error:
        # The month is still told, so that it is tried and the reason is said.
        name = Path(error.filename or partition.folder).name
        problem = SourceProblem(
            f"Billing period {partition.month} of the export {export} can't be read: "
            f"{name}: {error.strerror}.",
            STAYS,
            "Check the permissions of the folder.",
        )
        seen = replace(seen_at(partition.folder), error=str(error.strerror))
        return Delivery(export, partition.month, (), (seen,), problem=problem)


class _DeliveryFinder:
    """Finds the newest delivery of one export and month."""

    def __init__(self, partition: Partition, export: str) -> None:
        self.partition, self.export = partition, export
        self.top = all_in(partition.folder)
        self.folders = sorted(
            (seen for seen in self.top if seen.is_folder and not seen.is_parquet),
            key=lambda seen: _by_time(seen.path.name),
        )

    def delivery(self) -> Delivery:
        """What the manifest names; without one the newest files."""
        manifest = _newest_manifest(self.partition)
        if manifest is None:
            return self._without_manifest()
        return self._with_manifest(manifest)

    def _with_manifest(self, found: Entry) -> Delivery:
        try:
            manifest = read_manifest(found.path, self.partition.month)
        except SourceProblem as unreadable:
            return self._made((), [*self.top, found], (), unreadable)
        inside = [*self.top, *self._below(manifest)]
        by_path = {
            seen.path.relative_to(self.partition.folder).as_posix(): seen
            for seen in inside
            if stat.S_ISREG(seen.kind) or seen.error
        }
        named, missing = manifest.named(by_path)
        if named and all(seen.is_text for seen in named) and not missing:
            return self._made((), [*named, found])
        others = [seen for seen in inside if seen not in named]
        problem = self._unfinished(found, named, missing)
        why = "The delivery's manifest does not name them."
        return self._made(named, [*inside, found], _unread(others, why), problem)

    def _below(self, manifest: Manifest) -> list[Entry]:
        """What lies in the folders of deliveries that the manifest speaks of."""
        folders = [seen.path for seen in self.folders if seen.path.name in manifest.folders]
        return [seen for folder in folders for seen in all_in(folder)]

    def _unfinished(
        self, manifest: Entry, named: Sequence[Entry], missing: Sequence[str]
    ) -> SourceProblem | None:
        """Why a delivery is not whole: AWS writes the manifest after all data files."""
        newer = [seen.path.name for seen in named if seen.changed > manifest.changed]
        if missing:
            return self._incomplete(
                f"{missing[0]} is named by its manifest and is not there{_more(missing)}.",
            )
        if newer:
            return self._incomplete(
                f"{newer[0]} is newer than the manifest that names it{_more(newer)}."
            )
        return None

    def _incomplete(self, why: str) -> SourceProblem:
        return SourceProblem(
            f"A delivery of billing period {self.partition.month} (export {self.export}) is being "
            f"written: {why}",
            STAYS,
            "Wait until it is complete. Where the files were copied: copy all of them again, with "
            "their times kept.",
        )

    def _without_manifest(self) -> Delivery:
        top = [seen for seen in self.top if seen.is_data]
        below = next(
            filter(_holds_data, (all_in(seen.path) for seen in reversed(self.folders))), []
        )
        if not top and not below and self.folders:
            below = all_in(self.folders[-1].path)  # nothing to read, but to tell of
        if _newest(top) > _newest([seen for seen in below if seen.is_data]):
            return self._newest_files(self.top)
        why = "A newer delivery lies in a folder of its own."
        left_out = [seen for seen in self.top if below and seen.is_parquet]
        inside = below or self.top
        return self._newest_files(inside, _unread(left_out, why), left_out)

    def _newest_files(
        self, inside: Sequence[Entry], notices: Sequence[Notice] = (), also: Sequence[Entry] = ()
    ) -> Delivery:
        data = [seen for seen in inside if seen.is_data]
        others = [seen for seen in inside if not seen.is_data]
        passed_over = _unread(others, "They are no Parquet files.") if data else ()
        irregular = _unread([seen for seen in others if seen.is_parquet], IRREGULAR)
        looked_at = [*data, *[seen for seen in others if seen.is_parquet or seen.is_text], *also]
        return self._made(data, looked_at, (*notices, *(passed_over or irregular)))

    def _made(
        self,
        data: Sequence[Entry],
        looked_at: Sequence[Entry],
        notices: Sequence[Notice] = (),
        problem: SourceProblem | None = None,
    ) -> Delivery:
        broken = next((seen for seen in data if seen.error), None)
        if broken is not None and problem is None:
            problem = self._broken(broken)
        return Delivery(
            self.export,
            self.partition.month,
            tuple(seen.path for seen in data),
            tuple(seen for seen in looked_at if seen.decides),
            tuple(notices),
            problem,
        )

    def _broken(self, seen: Entry) -> SourceProblem:
        return SourceProblem(
            f"Files of billing period {self.partition.month} can't be read ({seen.path.name}: "
            f"{seen.error}).",
            STAYS,
            "Copy the files from the export again, or remove what is not part of it.",
        )


def _newest_manifest(partition: Partition) -> Entry | None:
    """The newest delivery's manifest: of folders the last by name, against the top by time."""
    metadata = partition.folder.parent.with_name("metadata")
    if partition.folder.parent.name.lower() != "data":
        return None
    inside = [seen for folder in _of_month(metadata, partition.month) for seen in all_in(folder)]
    folders = sorted(
        (seen.path for seen in inside if seen.is_folder), key=lambda path: _by_time(path.name)
    )
    deliveries = (_manifests(all_in(folder)) for folder in reversed(folders))
    below = next(filter(None, deliveries), [])
    candidates = [*_manifests(inside)[-1:], *below[-1:]]
    return max(reversed(candidates), key=lambda seen: seen.changed, default=None)


def _of_month(metadata: Path, month: str) -> list[Path]:
    try:
        names = sorted(path.name for path in metadata.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    partitions = [(name, PARTITION.fullmatch(name)) for name in names]
    return [metadata / name for name, found in partitions if found and found[1] == month]


def _manifests(inside: Sequence[Entry]) -> list[Entry]:
    """The manifests, oldest first. A link that leads nowhere is one that can't be read."""
    named = [seen for seen in inside if MANIFEST.search(seen.path.name)]
    found = [seen for seen in named if stat.S_ISREG(seen.kind) or seen.error]
    return sorted(found, key=lambda seen: (seen.changed, seen.path.name))


def _holds_data(inside: Sequence[Entry]) -> bool:
    return any(seen.is_data for seen in inside)


def _newest(inside: Sequence[Entry]) -> int:
    return max((seen.changed for seen in inside), default=-1)


def _by_time(name: str) -> tuple[bool, str]:
    return TIMED.match(name) is not None, name


def _unread(files: Sequence[Entry], why: str) -> tuple[Notice, ...]:
    """A notice of what looks like data and is not read."""
    names = [seen.path.name for seen in files if seen.is_parquet or seen.is_text]
    return (notice("files-unread", files=listed(names), why=why),) if names else ()


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    return f"{', '.join(names[:3])}{_more(names, 3)}"


def _more(names: Sequence[str], told: int = 1) -> str:
    return f" and {len(names) - told} more" if len(names) > told else ""
