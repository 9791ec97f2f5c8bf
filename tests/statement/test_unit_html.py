"""A unit's statement as HTML: needs nothing else, and names are text whatever they hold."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chargeback.dimensions import CHARGED
from chargeback.formats import money
from chargeback.statement.unit_html import LONGEST_NAME, STYLE, document, fragment
from chargeback.statement.unit_statement import UnitStatement
from chargeback.statement.unit_words import NOTICE_LENGTH
from tests.bills import MONTH, line
from tests.statement.test_allocation import rules
from tests.statement.units import BEFORE, answers_on, in_month, statement_on, statements_on

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></title><b>bold</b>",
    "' onmouseover='alert(1)",
    "&lt;b&gt; &amp; ]]>",
    "javascript:alert(1)",
    "株式会社サクラ",
    "شركة الأمثلة",
    "\u202egnidnuob on",
]
ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "article", "header", "div", "p", "span"),
    *("h1", "h2", "dl", "dt", "dd", "small", "bdi", "i", "b", "br", "ul", "li"),
    *("table", "thead", "tbody", "tfoot", "tr", "th", "td"),
}
"""That a statement is made of: none runs, and none asks for anything."""
ATTRIBUTES = {
    *("lang", "charset", "http-equiv", "content", "name", "class", "style", "scope"),
    *("role", "aria-label", "aria-hidden"),
}


class Read(HTMLParser):
    """What a browser takes a document for: its elements, their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and self.open[-1:] != ["style"]:
            self.texts.append(data)


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> dict[str, UnitStatement]:
    """Statements of tenants whose names, callers, cost centers and rules are hostile."""
    lines = [
        line(
            "10.00",
            tenant=name,
            team=name,
            principal=f"arn:aws:iam::111122223333:role/{name}",
        )
        for name in HOSTILE
    ]
    untagged = line("7.00", principal="arn:aws:iam::111122223333:role/shared")
    rule = {"id": "r", "name": HOSTILE[0], "for": ["tenant"], "take": {}, "by": "even"}
    folder = tmp_path_factory.mktemp("hostile")
    answers = answers_on(folder, {BEFORE: in_month(BEFORE, lines), MONTH: [*lines, untagged]})
    found = statements_on(answers, "tenant", rules(rule))
    return {name: statement_on(found, name) for name in HOSTILE}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_text_wherever_it_stands(named: dict[str, UnitStatement], name: str) -> None:
    read = Read(document(named[name]))
    assert set(read.elements) <= ELEMENTS
    assert read.attributes <= ATTRIBUTES
    assert read.open == []
    texts = read.texts
    assert name in texts  # as the heading, in a bdi of its own
    assert HOSTILE[0] in texts  # the rule's name
    assert texts[0] == f"{name}: Tenant statement, October 2026"  # the title


@settings(max_examples=60)
@example(text="<svg/onload=alert(1)>", kind="tenant")
@given(text=st.text(min_size=1, max_size=300), kind=st.sampled_from(list(CHARGED)))
def test_any_name_is_text(named: dict[str, UnitStatement], text: str, kind: str) -> None:
    statement = replace(
        named[HOSTILE[0]], name=text, unit=f"{text}!", contact=text, dimension=CHARGED[kind]
    )
    read = Read(document(statement))
    assert set(read.elements) <= ELEMENTS
    assert read.attributes <= ATTRIBUTES


def test_the_document_needs_nothing_else(named: dict[str, UnitStatement]) -> None:
    text = document(named[HOSTILE[0]])
    assert text.startswith('<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n')
    assert "default-src 'none'; style-src 'unsafe-inline'" in text
    style = STYLE.read_text("utf-8")
    assert "url(" not in style
    assert "@import" not in style


def test_the_page_shows_what_the_file_holds(named: dict[str, UnitStatement]) -> None:
    statement = named[HOSTILE[0]]
    file = document(statement).replace("<h1", "<h3").replace("</h1>", "</h3>")
    shown = fragment(statement).replace("<h4", "<h2").replace("</h4>", "</h2>")
    assert shown in file
    assert Read(shown).texts == Read(file).texts[1:]  # all but its title


def test_every_amount_is_on_it(named: dict[str, UnitStatement]) -> None:
    statement = named[HOSTILE[0]]
    texts = Read(document(statement)).texts
    for part in statement.parts:
        assert money(part.amount, "USD") in texts
    assert texts.count(money(statement.charged.total, "USD")) == 2  # at its head, and as the total
    assert texts.count(money(statement.charged.own, "USD")) >= len(statement.splits)


def test_the_bars_are_told_to_those_who_cannot_see_them(named: dict[str, UnitStatement]) -> None:
    text = document(named[HOSTILE[0]])
    assert 'role="img" aria-label="October 2025 –; November 2025 –;' in text
    # 10.00 each month, and of the 7.00 that are shared a ninth.
    assert 'September 2026 $10.00; October 2026 $10.78"' in text


def test_bars_of_credits_hang_below_the_line(tmp_path: Path) -> None:
    months = {
        BEFORE: in_month(BEFORE, [line("30.00", tenant="acme")]),
        MONTH: [line("-10.00", "Credit", tenant="acme")],
    }
    text = document(statement_on(statements_on(answers_on(tmp_path, months)), "acme"))
    # 76 pixels from 30 to -10: the line is at 57, a bar of 19 hangs from it.
    assert '<div style="padding-top: 0.0px"><i style="border-top-width: 57.0px">' in text
    assert '<div style="padding-top: 57.0px"><i style="border-top-width: 19.0px">' in text
    assert '<b style="top: 57.0px">' in text


def test_what_is_long_is_cut(tmp_path: Path) -> None:
    name = "長" * (LONGEST_NAME + 50)
    answers = answers_on(tmp_path, {MONTH: [line("10.00", tenant=name)]})
    texts = Read(document(statement_on(statements_on(answers), name))).texts
    assert f"{name[: LONGEST_NAME - 1]}…" in texts
    assert max(map(len, texts[1:])) <= max(LONGEST_NAME, NOTICE_LENGTH)
