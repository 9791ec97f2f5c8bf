"""A reader in finance meets plain words, and the others with their meaning in reach."""

from __future__ import annotations

from typing import get_args

import pytest

from chargeback.enrichment.bill import CostColumn
from chargeback.ui.about import BASES, ROUNDING
from chargeback.ui.glossary import TERMS
from chargeback.ui.markdown import plain
from tests.pages.conftest import OpenPage

MONTH = "2026-10"
PAGES = ["overview", "tenants", "models", "coverage", "chargeback", "close", "setup"]


@pytest.mark.parametrize("page", PAGES)
def test_every_page_has_the_words_in_reach(open_page: OpenPage, page: str) -> None:
    said = " ".join(text.value for text in open_page(page, month=MONTH).sidebar.markdown)
    for term, meaning in TERMS.items():
        assert f"**{term}.** {plain(meaning)}" in said
    assert list(TERMS) == sorted(TERMS, key=str.casefold)


def test_the_line_under_the_title_needs_no_explanation(open_page: OpenPage) -> None:
    app = open_page("overview", month=MONTH)
    (line,) = (text.value for text in app.caption if text.value.startswith("Bill as of"))
    assert line.endswith(plain("USD, tax and discounts included"))
    assert "UTC" in line
    assert not {"DuckDB", "unblended"} & set(line.split())
    facts = " ".join(text.value for text in app.main.markdown)
    assert "DuckDB" in facts
    assert plain(ROUNDING) in facts


def test_every_cost_basis_is_explained() -> None:
    assert set(BASES) == set(get_args(CostColumn))
