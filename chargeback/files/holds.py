"""Folders that are not deleted while somebody uses them."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class FolderHold:
    """Keeps a folder from being deleted until it is released, or this process is gone.

    A shared lock of the operating system on the folder itself: nothing is left behind by a holder
    that was killed. Where a file system has no locks, the folder is not held.
    """

    def __init__(self, folder: Path) -> None:
        self._opened: int | None = None
        with suppress(OSError):
            self._opened = os.open(folder, os.O_RDONLY)
            fcntl.flock(self._opened, fcntl.LOCK_SH | fcntl.LOCK_NB)

    def release(self) -> None:
        """Lets the folder go."""
        if self._opened is not None:
            os.close(self._opened)
            self._opened = None

    def __del__(self) -> None:
        self.release()


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Holds a folder for the time of a block."""
    hold = FolderHold(folder)
    try:
        yield
    finally:
        hold.release()


def delete_unless_held(folder: Path) -> bool:
    """Deletes a folder with all in it, unless it or a folder in it is held; whether it did."""
    inside = [path for path in _folders_in(folder) if path.is_dir()]
    if any(_is_held(path) for path in (folder, *inside)):
        return False
    shutil.rmtree(folder, ignore_errors=True)
    return True


def _folders_in(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _is_held(folder: Path) -> bool:
    try:
        opened = os.open(folder, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(opened)
    return False
