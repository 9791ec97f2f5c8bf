"""What the escaping leaves to Streamlit's Markdown: nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeback.ui.markdown import plain


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("acme-corp", "acme-corp"),
        ("株式会社サクラ", "株式会社サクラ"),
        ('=HYPERLINK("x")', '=HYPERLINK("x")'),
        ("<b>Globex</b>", r"\<b\>Globex\</b\>"),
        ("$5 or $6", r"\$5 or \$6"),
        ("a_b *c* `d`", r"a\_b \*c\* \`d\`"),
        ("[x](y) &amp;", r"\[x\](y) \&amp;"),
        (":red[x]", r"\:red\[x\]"),
        (":material/home:", r":color[\:]material/home\:"),
        ("alice@example.com", r"alice:color[\@]example.com"),
        ("https://a.b", r"https:color[\:]//a.b"),
        ("www.a.b", r"www:color[\.]a.b"),
        ("a -> b", r"a :color[\-]:color[\>] b"),
        ("- one", r"\- one"),
        ("2. two", r"2\. two"),
        ("# three", r"\# three"),
        ("=", r"\="),
        ("a\n\n  b\t", "a b"),
    ],
)
def test_plain(text: str, escaped: str) -> None:
    assert plain(text) == escaped


APART = re.compile(r":color\[\\(.)\]")
ESCAPED = re.compile(r"\\(.)")
NASTY = st.text(alphabet=r"ab1 :/@.w$*_`[]<>#|\~&!(){}-=+^smile" + "\n", max_size=40)


@given(NASTY)
def test_plain_says_the_same(text: str) -> None:
    shown = ESCAPED.sub(r"\1", APART.sub(r"\\\1", plain(text)))
    assert shown == " ".join(text.split())


@given(NASTY)
def test_plain_leaves_nothing_to_markdown(text: str) -> None:
    left = ESCAPED.sub("", APART.sub("", plain(text)))
    assert not re.search(r"[\\`*_\[\]<>$:#|~&@]", left)
    assert not re.match(r"\d*[-+=.)](\s|$)", plain(text))


@given(NASTY)
def test_plain_leaves_nothing_that_is_replaced_in_the_finished_text(text: str) -> None:
    """Emoji and icon shortcodes, arrows and addresses are found in text already unescaped."""
    for run in APART.split(plain(text))[::2]:
        finished = ESCAPED.sub(r"\1", run)
        assert not re.search(r":[\w+-]+:|:material/|://|@|www\.|[-<>=~]{2}", finished)
