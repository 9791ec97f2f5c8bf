"""The list of files that AWS writes after a delivery's data: `…-Manifest.json`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar
from urllib.parse import unquote

from chargeback.errors import SourceProblem

LISTS = ("dataFiles", "reportKeys")
"""The list's name, and the one that the legacy report has."""
KEYS = ("s3Uri", "s3URI", "uri", "key", "Key", "path")
"""Where an entry that is no text says which file it means."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest names."""

    paths: tuple[str, ...]
    """Below the folder of the billing period."""

    @property
    def folders(self) -> set[str]:
        """The folders of single deliveries among them."""
        return {path.split("/")[0] for path in self._spellings() if "/" in path}

    def named(self, found: Mapping[str, T]) -> tuple[list[T], list[str]]:
        """Of what was found the files that it names, and the names of those that are missing."""
        there: dict[str, T] = {}
        missing = []
        for path in self.paths:
            spelled = next((each for each in (path, unquote(path)) if each in found), None)
            if spelled is None:
                missing.append(PurePosixPath(path).name)
            else:
                there[spelled] = found[spelled]
        return list(there.values()), missing

    def _spellings(self) -> Iterator[str]:
        for path in self.paths:
            yield from (path, unquote(path))


def read_manifest(file: Path, month: str) -> Manifest:
    """What a delivery's manifest on disk names.

    Raises:
        SourceProblem: it can't be read, or names no files.
    """
    try:
        return parse_manifest(file.read_bytes(), file.name, month)
    except OSError as error:
        raise _unreadable(file.name, month, f"{error.strerror}") from error


def parse_manifest(body: bytes, name: str, month: str) -> Manifest:
    """What a delivery's manifest, a file called `name`, says.

    Raises:
        SourceProblem: it is none, or names no files.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _unreadable(name, month, "it is no JSON") from error
    entries = _entries(content)
    if not entries or not all(entries):
        raise _unreadable(name, month, "it names no data files")
    return Manifest(tuple(below_partition(entry) for entry in entries))


def _entries(content: object) -> list[str]:
    given = content if isinstance(content, dict) else {}
    lists = [given[name] for name in LISTS if isinstance(given.get(name), list)]
    return [_text(entry) for entry in lists[0]] if lists else []


def _text(entry: object) -> str:
    """The address or key of an entry; '' where it says none."""
    if isinstance(entry, dict):
        return next((entry[key] for key in KEYS if isinstance(entry.get(key), str)), "")
    return entry if isinstance(entry, str) else ""


def below_partition(entry: str) -> str:
    """The path below the folder of the billing period, which the layout on disk shares with S3."""
    parts = PurePosixPath(entry).parts
    at = [i for i, part in enumerate(parts) if part.upper().startswith("BILLING_PERIOD=")]
    return "/".join(parts[at[-1] + 1 :]) if at else parts[-1]


def _unreadable(name: str, month: str, why: str) -> SourceProblem:
    return SourceProblem(
        f"The manifest of billing period {month} can't be read ({name}: {why}).",
        "It is not known which files are the bill, so that month is not updated; figures read "
        "earlier stay as they were.",
        "Copy the manifest from the export again.",
    )
