"""What is made ready before the first viewer comes is all that the first page asks for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import streamlit as st

from chargeback.enrichment.local_tables import LocalTables
from chargeback.enrichment.tables import Grain
from chargeback.ui import ready
from tests.pages.conftest import Bill, OpenPage

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that are asked, by name, from now on."""
    names: list[str] = []
    answer = LocalTables.answer

    def noted(
        tables: LocalTables, name: str, grain: Grain, parameters: Mapping[str, Any]
    ) -> pa.Table:
        names.append(name)
        return answer(tables, name, grain, parameters)

    monkeypatch.setattr(LocalTables, "answer", noted)
    return names


def make_ready() -> None:
    thread = ready.begin()
    thread.join(timeout=60)
    assert not thread.is_alive()


def test_the_first_page_asks_nothing_that_was_not_made_ready(
    bill: Bill, open_page: OpenPage, asked: list[str]
) -> None:
    open_page("overview")  # reads the bill into the store, and sets where both are
    st.cache_resource.clear()
    asked.clear()
    make_ready()
    assert {"ranking", "movement", "days", "leading_units"} <= set(asked)
    asked.clear()
    again = open_page("overview", currency="USD")
    assert again.metric
    assert asked == []


def test_a_start_does_not_fail_on_what_pages_will_say(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    st.cache_resource.clear()
    monkeypatch.setenv("CHARGEBACK_COST_BASIS", "gross")
    make_ready()
    assert "Nothing could be made ready" in caplog.text
    assert "CHARGEBACK_COST_BASIS" in caplog.text
    monkeypatch.delenv("CHARGEBACK_COST_BASIS")
    monkeypatch.setenv("CHARGEBACK_CUR", str(tmp_path / "none"))
    monkeypatch.setenv("CHARGEBACK_STORE", str(tmp_path / "store"))
    make_ready()
    assert not list(tmp_path.iterdir())
    st.cache_resource.clear()
