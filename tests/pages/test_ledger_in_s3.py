"""A ledger in S3 is asked once in a while for all who look, not with every click."""

from __future__ import annotations

import pytest

from chargeback.ui import page_context
from tests.athena.server import AthenaService
from tests.ledger.conftest import location, s3, s3_service
from tests.pages.conftest import OpenPage

__all__ = ["location", "s3", "s3_service"]


def test_clicks_ask_a_ledger_in_s3_only_once_in_a_while(
    open_page: OpenPage, s3: AthenaService, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHARGEBACK_LEDGER", location)
    monkeypatch.setattr(page_context, "LEDGER_SECONDS", 3600)
    app = open_page("tenants")
    asked = s3.calls.copy()
    for _ in range(3):
        assert not app.run().exception
    assert s3.calls == asked
    page_context.ledger_has_changed()
    app.run()
    assert s3.calls != asked
