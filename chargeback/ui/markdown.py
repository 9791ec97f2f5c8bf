"""Text of others, as Streamlit's Markdown shows it letter by letter."""

from __future__ import annotations

import re


def plain(text: str) -> str:
    r"""Any text, so that Streamlit's Markdown shows it letter by letter.

    A backslash is enough against Markdown, HTML and formulas. It is not enough against what
    Streamlit and GitHub's Markdown replace in the finished text (icon and emoji shortcodes, arrows
    such as `->`, addresses that become links): there, a character is set apart in a directive
    without effect, `:color[…]`, which unlike an invisible character is not copied along.

    Not for what Streamlit doesn't read as Markdown (cells, options of a select box), and not for
    `st.badge`, which escapes brackets once more: there, `st.markdown(f":gray-badge[{plain(x)}]")`.
    """
    one_line = " ".join(text.split())
    apart = _REPLACED_LATER.sub(lambda found: f"\0{found[0]}", one_line)
    escaped = _SPECIAL.sub(_escape, apart)
    return _BLOCK_START.sub(r"\1\\\2", escaped)


_REPLACED_LATER = re.compile(
    r"""
    :(?=[\w+-]+:) | :(?=material/) | :(?=//)    # :home: and https://
    | @ | (?<=www)\.                            # addresses
    | [-<>=~](?=[-<>=~]) | (?<=[-<>=~])[-<>=~]  # -> <= --
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SPECIAL = re.compile(r"\0(.)|[\\`*_\[\]<>$:#|~&]")
_BLOCK_START = re.compile(r"^(\d*)([-+=.)])(?=\s|$)")
"""What makes a list or a heading of the line: '- ', '1. ', '='."""


def _escape(found: re.Match[str]) -> str:
    return f":color[\\{found[1]}]" if found[1] else f"\\{found[0]}"
