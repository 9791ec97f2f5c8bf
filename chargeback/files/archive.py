"""ZIP archives whose bytes are the same whenever their files are."""

from __future__ import annotations

from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

SAME_TIME = (1980, 1, 1, 0, 0, 0)
"""Of every file in an archive."""
READABLE = 0o644 << 16


def put(archive: ZipFile, name: str, content: bytes) -> None:
    """Adds a file."""
    entry = ZipInfo(name, SAME_TIME)
    entry.compress_type, entry.external_attr = ZIP_DEFLATED, READABLE
    archive.writestr(entry, content)
