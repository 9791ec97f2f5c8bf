"""Folders to write in before what was written is put in place."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from chargeback.files.holds import delete_unless_held, holding


@contextmanager
def drafting(above: Path, prefix: str) -> Iterator[Path]:
    """A new folder within `above`, which is made; what is left in it at the end goes.

    What killed processes left under the same prefix goes first.

    Raises:
        OSError: it can't be made.
    """
    above.mkdir(parents=True, exist_ok=True)
    for left in above.glob(f"{prefix}*"):
        delete_unless_held(left)
    draft = Path(mkdtemp(prefix=prefix, dir=above))
    with holding(draft):
        try:
            yield draft
        finally:
            shutil.rmtree(draft, ignore_errors=True)
