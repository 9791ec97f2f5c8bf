"""Who looks at pages: who is refused, who has to sign in, and who may change figures.

tests/ui/test_gate.py asks a running server; here the pages decide for themselves, as they do for
whoever serves them without the gate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest

from chargeback.access.secrets_file import SignIn
from chargeback.ui import server
from chargeback.ui.gate import OWNER
from chargeback.ui.sign_in import OPEN_TO_ALL
from tests.pages.conftest import APP, RUN_SECONDS, Bill, OpenPage, tables

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
    assert not (app.metric or tables(app) or app.selectbox or app.exception)


def test_with_several_providers_each_has_a_button(
    monkeypatch: pytest.MonkeyPatch, bill: Bill, secrets: Path
) -> None:
    keys = PROVIDER.partition("client_id")[2]
    general = PROVIDER.partition("client_id")[0]
    secrets.write_text(f"{general}[auth.entra]\nclient_id{keys}[auth.okta]\nclient_id{keys}")
    app = opened(monkeypatch, bill)
    assert [button.label for button in app.button] == ["Sign in with entra", "Sign in with okta"]


@pytest.mark.parametrize(
    "text", ["", "[auth", PROVIDER.replace("[auth]", "[Auth]"), PROVIDER.replace("client", "agent")]
)
def test_a_secrets_file_that_cannot_be_used_lets_nobody_in(
    monkeypatch: pytest.MonkeyPatch, bill: Bill, secrets: Path, text: str
) -> None:
    secrets.write_text(text)
    assert_closed(opened(monkeypatch, bill))


def assert_closed(app: AppTest) -> None:
    """A viewer is told that the owner has to finish sign-in, and nothing else."""
    assert [error.value for error in app.error] == [f"**{OWNER}**"]
    assert not (app.metric or tables(app) or app.selectbox or app.button or app.exception)


def test_a_secrets_file_that_was_taken_away_opens_nothing(
    monkeypatch: pytest.MonkeyPatch, bill: Bill, secrets: Path
) -> None:
    monkeypatch.setattr(server, "_start", server._Start(serves=True, sign_in=SignIn("usable")))
    assert not secrets.exists()
    assert_closed(opened(monkeypatch, bill))


@pytest.fixture
def address() -> Iterator[Callable[[str], None]]:
    """Sets the address that the server is told to listen on."""
    before = config.get_option("server.address")
    yield lambda address: config.set_option("server.address", address)
    config.set_option("server.address", before)


@pytest.mark.parametrize("where", ["0.0.0.0", "::", "10.0.0.5", "finance-box"])  # noqa: S104
def test_a_server_that_others_reach_shows_nothing_without_sign_in(
    monkeypatch: pytest.MonkeyPatch,
    bill: Bill,
    secrets: Path,
    address: Callable[[str], None],
    where: str,
) -> None:
    address(where)
    assert_closed(opened(monkeypatch, bill))


def test_open_to_all_is_said_below_every_page_and_on_setup(
    monkeypatch: pytest.MonkeyPatch, open_page: OpenPage, secrets: Path
) -> None:
    secrets.write_text("[auth")
    monkeypatch.setenv("CHARGEBACK_OPEN_TO_ALL", "true")
    pages = [file.stem for file in (Path(APP).parent / "pages").glob("*.py")]
    assert "setup" in pages
    for page in pages:
        app = open_page(page)
        assert OPEN_TO_ALL in [caption.value for caption in app.caption], page
    setup = open_page("setup")
    assert any(
        "Who may look" in said.value and "open to all" in said.value for said in setup.markdown
    )


def test_where_it_is_not_open_no_page_says_so(open_page: OpenPage, secrets: Path) -> None:
    said = [caption.value for caption in open_page("overview").caption]
    assert said
    assert OPEN_TO_ALL not in said


SAY_WHO = """
import streamlit as st
from chargeback.settings import load_settings
from chargeback.ui import sign_in
viewer = sign_in.viewer(load_settings())
st.write(f"{viewer.actor}|{viewer.actor.kind}|{viewer.may_change}|{viewer.who_may}")
"""


def who(user: dict[str, Any]) -> list[str]:
    """Who looks, how that is known, whether they may change, and who may."""
    app = AppTest.from_string(SAY_WHO)
    app.user = user
    app.run()
    assert not app.exception
    return str(app.markdown[0].value).split("|")


ANN = {"email": "ann@example.com", "is_logged_in": True}


@pytest.mark.parametrize(
    ("user", "actor", "may"),
    [
        (ANN, "ann@example.com", True),
        (ANN | {"email": "ANN@example.com", "email_verified": True}, "ANN@example.com", True),
        (ANN | {"email": "bob@example.com"}, "bob@example.com", False),
        (ANN | {"is_logged_in": False}, "visitor", False),
        (ANN | {"is_logged_in": "yes"}, "visitor", False),
        (ANN | {"email_verified": False}, "visitor", False),
        ({"email": "ann@example.com"}, "visitor", False),
        ({"name": "ann@example.com", "is_logged_in": True}, "visitor", False),
        ({}, "visitor", False),
    ],
)
def test_only_a_signed_in_person_that_is_named_may_change(
    monkeypatch: pytest.MonkeyPatch, secrets: Path, user: dict[str, Any], actor: str, may: bool
) -> None:
    secrets.write_text(PROVIDER)
    monkeypatch.setenv("CHARGEBACK_ACCESS__WRITERS", '["Ann@Example.com"]')
    said, _, may_change, who_may = who(user)
    assert (said, may_change) == (actor, str(may))
    assert "Ann@Example.com" in who_may


def test_without_sign_in_this_machine_may_change(secrets: Path) -> None:
    assert who({})[:3] == ["this machine", "this machine", "True"]


def test_open_to_all_lets_nobody_change(monkeypatch: pytest.MonkeyPatch, secrets: Path) -> None:
    monkeypatch.setenv("CHARGEBACK_OPEN_TO_ALL", "true")
    monkeypatch.setenv("CHARGEBACK_ACCESS__WRITERS", '["ann@example.com"]')
    assert who(ANN)[:3] == ["visitor", "visitor", "False"]
    secrets.write_text("[auth")
    assert who(ANN)[:3] == ["visitor", "visitor", "False"]


def test_a_server_that_others_reach_lets_nobody_change_without_sign_in(
    secrets: Path, address: Callable[[str], None]
) -> None:
    address("0.0.0.0")  # noqa: S104
    assert who({})[:3] == ["visitor", "visitor", "False"]
