"""The list of files in a delivery's manifest, `EXPORT-Manifest.json`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from chargeback.errors import SourceProblem

LISTS = ("dataFiles", "reportKeys")
"""What Data Exports and the older reports call the list."""
PARTITION = "BILLING_PERIOD="
KEYS = ("s3Uri", "s3Key", "key", "path", "uri")
"""Where an entry that is an object may say its place."""


def named_files(body: bytes) -> tuple[str, ...]:
    """The data files that a manifest names, each from its billing period on.

    Raises:
        SourceProblem: it is no manifest, or names no files.
    """
    try:
        content = json.loads(body)
        entries = next(content[name] for name in LISTS if name in content)
        return tuple(data_path(place) for place in _places(entries))
    except (ValueError, TypeError, KeyError, StopIteration) as error:
        raise SourceProblem(
            "The manifest of a delivery can't be read.",
            "Which files are the bill can't be told; figures read earlier stay as they were.",
            "Copy the export's metadata folder again.",
        ) from error


def data_path(place: str) -> str:
    """A file's place from its billing period on, whatever bucket and prefix it lies in."""
    parts = place.split("/")
    partitions = [at for at, part in enumerate(parts) if part.upper().startswith(PARTITION)]
    return "/".join(parts[partitions[-1] if partitions else -1 :])


def _places(entries: Any) -> Iterator[str]:  # noqa: ANN401  (whatever stands in the file)
    for entry in entries:
        if isinstance(entry, str):
            yield entry
        else:
            yield next(entry[key] for key in KEYS if key in entry)
