"""The pages over Athena: clicks cost nothing, and a failure leaves the figures where they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.athena.conftest import Athena, by_environment, republish
from tests.athena.failures import Fate, Refusal, expired_credentials
from tests.pages.conftest import APP, RUN_SECONDS, settled

MONTH = "2026-11"


@pytest.fixture
def start_server(
    athena: Athena, store: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], None]:
    """Starts a server over the bill that was read, as far as its caches go."""

    def start() -> None:
        for name, value in by_environment(athena.settings, store).items():
            monkeypatch.setenv(name, value)
        st.cache_resource.clear()
        st.cache_data.clear()

    return start


def opened(**parameters: str) -> AppTest:
    """The overview at an address. Only an app's first run here is a run of app.py."""
    app = AppTest.from_file(APP, default_timeout=RUN_SECONDS)
    app.query_params.update(parameters)
    return shown(settled(app.run()))


def shown(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error
    return app


def figures(app: AppTest) -> list[str]:
    return [metric.value for metric in app.metric]


def test_a_server_asks_for_changes_once_and_for_nothing_on_clicks(
    athena: Athena, start_server: Callable[[], None]
) -> None:
    start_server()
    seen = [figures(opened(month=month)) for month in (MONTH, "2026-10", "2026-09")]
    seen.append(figures(opened(month=MONTH, team="search")))
    assert len({tuple(values) for values in seen}) == len(seen)
    assert len(athena.queries) == 1


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (expired_credentials(), "The AWS credentials have expired."),
        (Fate("FAILED", "UNLOAD", "Query exhausted resources"), "ran out of time or memory"),
    ],
    ids=["expired", "failed"],
)
def test_a_failure_is_shown_above_the_figures_that_were_read(
    failure: Refusal | Fate,
    said: str,
    athena: Athena,
    start_server: Callable[[], None],
    tmp_path: Path,
) -> None:
    start_server()
    before = figures(opened())
    assert before
    athena.service.tables["billing.cur2"] = republish(athena.cur, tmp_path / "cur", MONTH)
    athena.failures.plan(failure)
    start_server()
    app = opened()
    assert said in app.warning[0].value
    assert figures(app) == before
    asked = athena.service.calls.copy()
    assert figures(opened()) == before
    assert athena.service.calls == asked


def test_a_store_in_athena_shows_the_same_and_stays_when_athena_fails(
    athena: Athena,
    start_server: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    start_server()
    from_disk = figures(opened())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHARGEBACK_STORE", "athena")
    location = f"s3://{athena.bucket}/{tmp_path.name}/"
    monkeypatch.setenv("CHARGEBACK_ATHENA__STORE_LOCATION", location)
    st.cache_resource.clear()
    st.cache_data.clear()
    assert figures(opened()) == from_disk
    asked = len(athena.queries)
    assert figures(opened()) == from_disk
    assert len(athena.queries) == asked
    athena.failures.plan(expired_credentials())
    app = opened()
    assert "The AWS credentials have expired." in app.warning[0].value
    assert figures(app) == from_disk
