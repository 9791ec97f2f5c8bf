"""All files of a closed month in one archive, each checked against its digest."""

from __future__ import annotations

import hashlib
import io
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from chargeback.closing.book import ClosedMonth
from chargeback.ledger.chain import CLOSE
from chargeback.ledger.objects import LedgerProblem
from chargeback.statement.unit_files import READABLE, SAME_TIME


def pack_archive(closed: ClosedMonth) -> bytes:
    """The files of a close with its close.json, as a ZIP; the same bytes every time.

    Raises:
        LedgerProblem: one is not what was frozen.
        OSError: one can't be read.
    """
    out = io.BytesIO()
    digests = {file.name: file.sha256 for file in closed.record.files}
    with ZipFile(out, "w") as archive:
        for name, sha256 in {CLOSE: closed.entry.close_sha256, **digests}.items():
            content = closed.read(name)
            if hashlib.sha256(content).hexdigest() != sha256:
                raise LedgerProblem(
                    f"{name} of the close of {closed.month} is not what was frozen.",
                    "It is not handed out.",
                    "Run verify, and restore the ledger from its backup.",
                )
            info = ZipInfo(f"close-{closed.month}-r{closed.entry.revision}/{name}", SAME_TIME)
            info.compress_type, info.external_attr = ZIP_DEFLATED, READABLE
            archive.writestr(info, content)
    return out.getvalue()


def pack_name(closed: ClosedMonth) -> str:
    """The name of that archive."""
    return f"close-{closed.month}-r{closed.entry.revision}.zip"
