"""Sign-in: where it is set up, nobody sees a figure without it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import APP, RUN_SECONDS, Bill

PROVIDER = """
[auth]
redirect_uri = "http://localhost:8501/oauth2callback"
cookie_secret = "for this test only"
client_id = "chargeback"
client_secret = "for this test only"
server_metadata_url = "http://localhost:1/.well-known/openid-configuration"
"""


@pytest.fixture
def secrets(tmp_path: Path) -> Iterator[Path]:
    """The server's secrets file, to be written."""
    before = config.get_option("secrets.files")
    config.set_option("secrets.files", [str(tmp_path / "secrets.toml")])
    st.secrets._reset()
    yield tmp_path / "secrets.toml"
    config.set_option("secrets.files", before)
    st.secrets._reset()


def opened(monkeypatch: pytest.MonkeyPatch, bill: Bill) -> AppTest:
    monkeypatch.setenv("CHARGEBACK_CUR", str(bill.cur))
    monkeypatch.setenv("CHARGEBACK_STORE", str(bill.store))
    return AppTest.from_file(APP, default_timeout=RUN_SECONDS).run()


def test_without_a_provider_nobody_has_to_sign_in(
    monkeypatch: pytest.MonkeyPatch, bill: Bill, secrets: Path
) -> None:
    assert not secrets.exists()
    assert opened(monkeypatch, bill).metric


def test_with_a_provider_only_a_button_is_shown_before_sign_in(
    monkeypatch: pytest.MonkeyPatch, bill: Bill, secrets: Path
) -> None:
    secrets.write_text(PROVIDER)
    app = opened(monkeypatch, bill)
    assert [button.label for button in app.button] == ["Sign in"]
    assert not (app.metric or app.dataframe or app.selectbox or app.exception)


def test_settings_that_cannot_be_read_let_nobody_in(
    monkeypatch: pytest.MonkeyPatch, bill: Bill, secrets: Path
) -> None:
    secrets.write_text("[auth")
    app = opened(monkeypatch, bill)
    assert "sign-in settings can't be read" in app.error[-1].value
    assert not (app.metric or app.dataframe or app.selectbox)
