"""A ledger in a folder, and one in S3, which moto answers as."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from chargeback.ledger.ledger import Ledger, open_ledger
from tests.athena.conftest import lead_to
from tests.athena.server import BUCKET, AthenaService


@pytest.fixture(scope="session")
def s3_service() -> Iterator[AthenaService]:
    with AthenaService() as service:
        yield service


@pytest.fixture
def s3(
    s3_service: AthenaService, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[AthenaService]:
    """S3, which boto3's environment leads to; nothing goes wrong yet."""
    lead_to(s3_service.endpoint, monkeypatch, tmp_path / "nothing")
    s3_service.make_bucket()
    yield s3_service
    s3_service.reset()


@pytest.fixture
def location(s3: AthenaService) -> str:
    """A place in S3 of this test's own."""
    del s3
    return f"s3://{BUCKET}/{uuid.uuid4().hex}/ledger"


@pytest.fixture(params=["folder", "s3"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Ledger:
    """A ledger in which nothing is yet."""
    if request.param == "folder":
        return open_ledger(tmp_path / "ledger", locks=tmp_path)
    return open_ledger(request.getfixturevalue("location"), locks=tmp_path)
