"""A unit's statement as HTML: a file that needs nothing else, and the same on the page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from html import escape
from pathlib import Path

from chargeback.formats import (
    ABSENT,
    change_percent,
    compact_money,
    cut,
    money,
    short_month,
    signed_percent,
    symbol,
    tokens,
)
from chargeback.statement import unit_words as words
from chargeback.statement.unit_statement import UNUSED, Split, UnitStatement

STYLE = Path(__file__).with_name("unit.css")
LONG_NAME, LONGEST_NAME, LONGEST_PART = 40, 120, 64
"""Characters from which a name is set smaller, and at which it is cut: a statement is one page."""
MOST_ROWS = 22
"""So many fit at their usual height."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
HEIGHT = 76
"""Pixels from the least bar to the greatest."""


def document(statement: UnitStatement) -> str:
    """The statement as a document of its own: no script, nothing from elsewhere."""
    title = escape(f"{statement.name}: {words.title(statement)}")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{title}</title>\n<style>body {{ margin: 24px; }} "
        "@media print { body { margin: 0; background: #fff; } :root { color-scheme: light; } }"
        f"</style>\n</head>\n<body>\n{fragment(statement, level=1)}</body>\n</html>\n"
    )


def fragment_of(document: str) -> str:
    """The part of a document that `fragment` made, with its headings where a page's are.

    Text of others is escaped in it, so that what looks like a tag is one.
    """
    inside = document.partition("<body>\n")[2].rpartition("</body>")[0]
    return re.sub(r"(</?h)([1-4])(?=[ >])", lambda tag: f"{tag[1]}{int(tag[2]) + 2}", inside)


def fragment(statement: UnitStatement, *, level: int = 3) -> str:
    """The statement as a part of a page, its heading of this level."""
    parts = [
        *_head(statement, level),
        *_figures(statement),
        f"<p>{escape(words.change(statement))}</p>",
        *_months(statement, level + 1),
        *_charge(statement, level + 1),
        '<div class="splits">',
        *(line for split in statement.splits for line in _split(statement, split, level + 1)),
        "</div>",
        *_open(statement, level + 1),
        f'<p class="ask">{_text(words.asking(statement))}</p>',
        f'<p class="foot">{_text(words.posting(statement))} {escape(words.sources(statement))}</p>',
    ]
    inside, kind = "\n".join(parts), "statement dense" if _is_dense(statement) else "statement"
    return f'<style>\n{_style()}</style>\n<article class="{kind}">\n{inside}\n</article>\n'


def _is_dense(statement: UnitStatement) -> bool:
    """Whether there is so much on it that only small rows fit on one page."""
    longest = max(len(split.parts) for split in statement.splits)
    rows = len(statement.parts) + longest + 2 * len(words.still_open(statement))
    return rows > MOST_ROWS or len(statement.name) > LONG_NAME


@lru_cache
def _style() -> str:
    return STYLE.read_text("utf-8")


def _text(text: str, longest: int = 10_000) -> str:
    """Text of others, in its own direction whatever stands around it."""
    return f"<bdi>{escape(cut(text, longest))}</bdi>"


def _head(statement: UnitStatement, level: int) -> Iterator[str]:
    size = "name long" if len(statement.name) > LONG_NAME else "name"
    yield '<header class="head"><div>'
    yield f'<p class="kind">{escape(words.title(statement))}</p>'
    yield f'<h{level} class="{size}">{_text(statement.name, LONGEST_NAME)}</h{level}>'
    if statement.unit != statement.name:
        yield f'<p class="as-billed">{_text(statement.unit, LONGEST_NAME)}</p>'
    yield f'</div><span class="status">{escape(words.status(statement))}</span></header>'


def _figures(statement: UnitStatement) -> Iterator[str]:
    used, currency = statement.used, statement.currency
    last = statement.used_last or UNUSED
    price = used.cost_per_million
    so_far = "" if statement.is_over else " so far"
    yield '<dl class="figures">'
    yield _figure(f"Charge{so_far}", money(statement.charged.total, currency))
    if statement.amount_due != statement.charged.total:
        yield _figure("Amount due", money(statement.amount_due, currency))
    yield _figure("Direct spend", money(statement.charged.own, currency))
    yield _figure("Tokens", tokens(used.tokens), used.tokens, last.tokens)
    per_million = f"{symbol(currency).strip()} per million tokens"
    yield _figure(per_million, money(price, currency), price, last.cost_per_million)
    yield "</dl>"


def _figure(
    label: str, value: str, now: Decimal | None = None, before: Decimal | None = None
) -> str:
    ratio = change_percent(now, before)
    change = f" <small>{signed_percent(ratio)}</small>" if ratio is not None else ""
    return f"<div><dt>{escape(label)}</dt><dd>{escape(value)}{change}</dd></div>"


def _months(statement: UnitStatement, level: int) -> Iterator[str]:
    said = words.rules_of_months(statement)
    yield f'<h{level} class="part">Charge by month <small>{said}</small></h{level}>'
    yield _bars(statement)
    yield '<div class="months" aria-hidden="true">'
    for month, charge in statement.history:
        name = short_month(month)[:3]
        year = f" {month[:4]}" if month == statement.history[0][0] or month[5:] == "01" else ""
        amount = compact_money(charge, statement.currency) if charge else ABSENT
        yield f"<span>{name}{year}<br><small>{escape(amount)}</small></span>"
    yield "</div>"


def _bars(statement: UnitStatement) -> str:
    """Bars made of borders: what cleans a page's HTML takes drawings out, and borders print."""
    charges = [float(charge or 0) for _, charge in statement.history]
    top, bottom = max(*charges, 0.0), min(*charges, 0.0)
    scale = HEIGHT / (top - bottom) if top > bottom else 0.0
    bars = "".join(
        f'<div style="padding-top: {(top - max(charge, 0.0)) * scale:.1f}px">'
        f'<i style="border-top-width: {abs(charge) * scale:.1f}px"></i></div>'
        for charge in charges
    )
    return (
        f'<div class="bars" role="img" aria-label="{escape(words.history(statement))}">{bars}'
        f'<b style="top: {top * scale:.1f}px"></b></div>'
    )


def _charge(statement: UnitStatement, level: int) -> Iterator[str]:
    currency = statement.currency
    yield f'<h{level} class="part">How the charge is made up</h{level}><table><tbody>'
    for part in statement.parts:
        other = _text(words.others(part, statement.dimension), LONGEST_PART)
        yield _row(_text(part.label, LONGEST_PART), other, money(part.amount, currency))
    total = _row("Total charge", "", money(statement.charged.total, currency))
    due = list(words.corrections(statement))
    if due:
        total += "".join(_row(escape(each), "", money(amount, currency)) for each, amount in due)
        total += _row("Amount due", "", money(statement.amount_due, currency))
    yield f"</tbody><tfoot>{total}</tfoot></table>"


def _row(label: str, other: str, amount: str) -> str:
    return (
        f'<tr><th scope="row">{label}</th><td class="other">{other}</td>'
        f"<td>{escape(amount)}</td></tr>"
    )


def _split(statement: UnitStatement, split: Split, level: int) -> Iterator[str]:
    currency, noun = statement.currency, split.dimension.plural
    yield f'<div><h{level} class="part">{noun.capitalize()} <small>direct spend</small></h{level}>'
    heads = ("", "Tokens", "Per million", "Spend")
    yield "<table><thead><tr>"
    yield _cells(f'<th scope="col">{escape(head)}</th>' for head in heads)
    yield "</tr></thead><tbody>"
    for part in split.parts:
        amounts = (money(amount, currency) for amount in (part.cost_per_million, part.cost))
        figures = (tokens(part.tokens), *amounts)
        cells = _cells(f"<td>{escape(figure)}</td>" for figure in figures)
        yield f'<tr><th scope="row">{_text(part.name, LONGEST_PART)}</th>{cells}</tr>'
    total = _cells(("<td></td><td></td>", f"<td>{money(statement.charged.own, currency)}</td>"))
    yield f'</tbody><tfoot><tr><th scope="row">Total</th>{total}</tr></tfoot></table></div>'


def _cells(cells: Iterable[str]) -> str:
    return "".join(cells)


def _open(statement: UnitStatement, level: int) -> Iterator[str]:
    said = words.still_open(statement)
    if said:
        items = "".join(f"<li>{_text(each)}</li>" for each in said)
        yield f'<h{level} class="part">What is still open</h{level}><ul>{items}</ul>'
