"""All files of a closed month in one archive."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from zipfile import ZipFile

import pytest

from chargeback.closing.pack_archive import pack_archive, pack_name
from chargeback.ledger.objects import LedgerProblem
from tests.closing.conftest import SEPTEMBER
from tests.closing.late_credit import small_company


def test_it_holds_every_file_as_it_was_frozen(tmp_path: Path) -> None:
    company = small_company(tmp_path)
    company.close(SEPTEMBER)
    closed = company.statements().book.require(SEPTEMBER)
    assert pack_name(closed) == "close-2026-09-r1.zip"
    archive = ZipFile(io.BytesIO(pack_archive(closed)))
    found = {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}
    digests = {f"close-2026-09-r1/{each.name}": each.sha256 for each in closed.record.files}
    assert found == digests | {"close-2026-09-r1/close.json": closed.entry.close_sha256}
    assert pack_archive(closed) == pack_archive(closed)


def test_a_file_that_was_changed_is_not_handed_out(tmp_path: Path) -> None:
    company = small_company(tmp_path)
    company.close(SEPTEMBER)
    closed = company.statements().book.require(SEPTEMBER)
    file = tmp_path / "ledger" / closed.entry.folder / "notices.json"
    file.chmod(0o644)
    file.write_text("[]")
    with pytest.raises(LedgerProblem, match=r"notices\.json of the close of 2026-09 is not what"):
        pack_archive(closed)
