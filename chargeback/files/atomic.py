"""Files that appear whole, stay while somebody reads them, and are known by their bytes."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from contextlib import suppress
from pathlib import Path


def sha256_of(file: Path) -> str:
    """The digest of a file's bytes, hexadecimal. Raises OSError."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def flush(path: Path) -> None:
    """Has the disk keep a file, or the names in a folder, whatever happens to the machine."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def write_whole(file: Path, content: bytes) -> None:
    """Replaces a file by one that is flushed to disk: a reader sees all of it or none.

    Who may read and write the file stays as it was.
    """
    draft = file.with_name(f".{file.name}.{uuid.uuid4().hex[:8]}")
    try:
        draft.write_bytes(content)
        with suppress(FileNotFoundError):
            shutil.copymode(file, draft)
        flush(draft)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
