"""What lies below the folder of a bill: the months of each export, and the files in them.

Nothing here looks into a file.
"""

from __future__ import annotations

import os
import re
import stat
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from chargeback.errors import SourceProblem
from chargeback.notices import Notice, notice

PARTITION = re.compile(r"BILLING_PERIOD=(.*)", re.IGNORECASE)
MONTH = re.compile(r"2[0-9]{3}-(0[1-9]|1[0-2])")
MANIFEST = re.compile(r"manifest\.json$", re.IGNORECASE)
PARQUET = ".parquet"
TEXT = (".csv", ".csv.gz")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder as it was found, without looking into it."""

    path: Path
    kind: int = 0
    """Of stat.S_IFMT; 0 where that can't be told."""
    size: int = 0
    changed: int = 0
    """In nanoseconds since 1970."""
    error: str = ""
    """Why it can't be looked at."""

    @property
    def is_parquet(self) -> bool:
        """By its name, in any case. Hidden files are what other programs leave behind."""
        name = self.path.name.lower()
        return name.endswith(PARQUET) and not name.startswith(".")

    @property
    def is_text(self) -> bool:
        """Whether it is a delivery's file as CSV, by its name."""
        return self.path.name.lower().endswith(TEXT)

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, or a link to one."""
        return stat.S_ISDIR(self.kind)

    @property
    def decides(self) -> bool:
        """Whether what is read may depend on it, by its name."""
        return self.is_parquet or self.is_text or MANIFEST.search(self.path.name) is not None

    @property
    def is_data(self) -> bool:
        """Whether it can be a part of the bill. What can't be looked at may be one."""
        return self.is_parquet and (stat.S_ISREG(self.kind) or bool(self.error))


@dataclass(frozen=True, slots=True)
class Partition:
    """The folder of one billing period in an export's data."""

    folder: Path
    month: str

    @property
    def export(self) -> Path:
        """The folder of the export: the one that holds `data`."""
        data = self.folder.parent
        return data.parent if data.name.lower() == "data" else data


class Listing:
    """The folders of billing periods below a folder, and what was passed over on the way.

    Raises:
        SourceProblem: the data of an export can't be looked at.
    """

    def __init__(self) -> None:
        self.partitions: list[Partition] = []
        self.no_months: list[Path] = []
        self.closed: list[OSError] = []

    def walk(self, folder: Path) -> None:
        """Looks into a folder and those below it; links are not followed, so it ends."""
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except FileNotFoundError:
            return  # it went while this looked
        except OSError as error:
            self._refused(folder, error)
            return
        for entry in entries:
            self._take(Path(entry.path), is_folder=entry.is_dir(follow_symlinks=False))

    def notices(self) -> Iterator[Notice]:
        """Of folders that are no month, and of folders that can't be looked into."""
        for folder in self.no_months:
            yield notice("period-is-no-month", folder=folder.name)
        for error in self.closed:
            name = Path(error.filename).name
            yield notice("files-unread", files=name, why=f"{error.strerror}.")

    def _take(self, path: Path, *, is_folder: bool) -> None:
        partition = PARTITION.fullmatch(path.name)
        if partition is None:
            if is_folder:
                self.walk(path)
        elif path.parent.name.lower() == "metadata" or not _may_be_folder(path):
            return
        elif MONTH.fullmatch(partition[1]):
            self.partitions.append(Partition(path, partition[1]))
        else:
            self.no_months.append(path)

    def _refused(self, folder: Path, error: OSError) -> None:
        # Other folders may be anybody's; without an export's data its months can't even be told.
        if folder.name.lower() == "data":
            raise unreadable_folder(error) from error
        self.closed.append(error)


def _may_be_folder(path: Path) -> bool:
    # A link that leads nowhere may lead to a month once its disk is there again.
    return path.is_dir() or path.is_symlink()


def names_of(exports: Sequence[Path], folder: Path) -> dict[Path, str]:
    """The exports' names; where two are called the same, with the folders above them."""
    called = defaultdict(set)
    for export in exports:
        called[export.resolve().name].add(export)
    return {
        export: name if len(same) == 1 else export.relative_to(folder).as_posix()
        for name, same in called.items()
        for export in same
    }


def all_in(folder: Path) -> list[Entry]:
    """All that lies in a folder, by name. Raises OSError."""
    return [seen_at(path) for path in sorted(folder.iterdir())]


def seen_at(path: Path) -> Entry:
    """What is at a path; a link is what it leads to."""
    try:
        found = path.stat()
    except OSError as error:
        return Entry(path, error=str(error.strerror))
    return Entry(path, stat.S_IFMT(found.st_mode), found.st_size, found.st_mtime_ns)


def unreadable_folder(error: OSError) -> SourceProblem:
    """The bill as a whole can't be looked at."""
    return SourceProblem(
        f"The CUR folder can't be read: {error.strerror}.",
        "There is nothing newer to show than what was read before.",
        "Check CHARGEBACK_CUR and the permissions of the folder.",
    )
