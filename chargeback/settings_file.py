"""chargeback.toml: what it says, and on which line."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from chargeback.errors import UsageProblem

CONFIG_FILE = "chargeback.toml"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_config() -> dict[str, Any]:
    """What the file says; nothing where there is none.

    Raises:
        UsageProblem: something of that name is there, but can't be read as TOML in UTF-8.
    """
    try:
        return tomllib.loads(_text())
    except tomllib.TOMLDecodeError as error:
        raise UsageProblem(f"{CONFIG_FILE} is not valid TOML: {error}.") from error


def line_of(keys: Sequence[str]) -> int:
    """The line that sets a key, or else what it is a part of; 0 for none."""
    found = {tuple(path): number for number, path in reversed(list(_settings()))}
    parts = (tuple(keys[:length]) for length in range(len(keys), 0, -1))
    return next((found[part] for part in parts if part in found), 0)


def _text() -> str:
    path = Path(CONFIG_FILE)
    if not os.path.lexists(path):
        return ""
    if not path.is_file():
        raise _unreadable(_what_it_is(path))
    try:
        return _decoded(path.read_bytes())
    except OSError as error:
        raise _unreadable(f"can't be read: {error.strerror}") from error


def _decoded(content: bytes) -> str:
    if content.startswith(UTF_16):
        raise _unreadable("is written in UTF-16, not in UTF-8", "Save it as UTF-8.")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _unreadable(f"is not written in UTF-8: line {line}", "Save it as UTF-8.") from error


def _what_it_is(path: Path) -> str:
    if path.is_dir():
        # What a container is given for a file that is not there.
        return "is a folder, not a file"
    if path.is_symlink():
        return "is a link to a file that is not there"
    return "is not a file"


def _unreadable(why: str, todo: str = "Put the file there, or remove what is there.") -> Exception:
    return UsageProblem(f"{CONFIG_FILE} {why}.", "No rule or setting of it is known.", todo)


def _settings() -> Iterator[tuple[int, list[str]]]:
    """The line of each table and key."""
    table: list[str] = []
    for number, line in enumerate(_text().splitlines(), start=1):
        if header := re.match(r"\s*\[+\s*([\w.\"-]+)\s*\]", line):
            table = _parts(header[1])
            yield number, table
        elif key := re.match(r"\s*([\w.\"-]+)\s*=", line):
            yield number, [*table, *_parts(key[1])]


def _parts(key: str) -> list[str]:
    return [part.strip('"') for part in key.split(".")]
