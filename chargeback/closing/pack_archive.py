"""All files of a closed month in one archive, each checked against its digest."""

from __future__ import annotations

import io
from zipfile import ZipFile

from chargeback.closing.book import ClosedMonth
from chargeback.files.archive import put
from chargeback.ledger.chain import CLOSE


def pack_archive(closed: ClosedMonth) -> bytes:
    """The files of a close with its close.json, as a ZIP; the same bytes every time.

    Raises:
        LedgerProblem: one is not what was frozen.
        OSError: one can't be read.
    """
    out = io.BytesIO()
    with ZipFile(out, "w") as archive:
        for name in (CLOSE, *closed.names()):
            put(archive, f"{_stem(closed)}/{name}", closed.read(name))
    return out.getvalue()


def pack_name(closed: ClosedMonth) -> str:
    """The name of that archive."""
    return f"{_stem(closed)}.zip"


def _stem(closed: ClosedMonth) -> str:
    return f"close-{closed.month}-r{closed.entry.revision}"
