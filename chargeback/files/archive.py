"""ZIP archives whose bytes are the same whenever their files are."""

from __future__ import annotations

import shutil
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

SAME_TIME = (1980, 1, 1, 0, 0, 0)
"""Of every file in an archive."""
READABLE = 0o644 << 16


def put(archive: ZipFile, name: str, content: bytes) -> None:
    """Adds a file."""
    archive.writestr(_entry(name), content)


def put_file(archive: ZipFile, file: Path) -> None:
    """Adds a file that may be larger than memory should hold, under its own name."""
    entry = _entry(file.name)
    entry.file_size = file.stat().st_size  # one of more than 2 GiB is written in another form
    with file.open("rb") as content, archive.open(entry, "w") as stored:
        shutil.copyfileobj(content, stored)


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, SAME_TIME)
    entry.compress_type, entry.external_attr = ZIP_DEFLATED, READABLE
    return entry
