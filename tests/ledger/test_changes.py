"""The list of changes: what was written stands, and what does not is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeback.ledger.change_lines import CHANGES, HEAD
from chargeback.ledger.changes import CUT_SHORT, record, verify

ADD_MANY = """
import sys
from pathlib import Path
from chargeback.ledger.changes import record
for number in range(40):
    record(Path(sys.argv[1]), who=sys.argv[2], what="counted", before=number, after=number + 1)
"""
DIE_WITHIN_A_LINE = """
import os, sys
from pathlib import Path
from chargeback.ledger import changes
write = os.write
def half(file, data):
    write(file, data[: len(data) // 2])
    os.kill(os.getpid(), 9)
changes.os.write = half
changes.record(Path(sys.argv[1]), who="a", what="never told as done", before=1, after=2)
"""


def entries(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / CHANGES).read_bytes().splitlines()]


def filled(folder: Path, lines: int = 4) -> bytes:
    """So many lines more in a ledger; what its file holds then."""
    for number in range(lines):
        record(folder, who="ann", what="set the limit", before=number, after=number + 1)
    return (folder / CHANGES).read_bytes()


def test_a_line_says_who_when_what_before_and_after(tmp_path: Path) -> None:
    record(tmp_path / "new", who="ann", what="owner list", before=None, after={"team": "search"})
    record(tmp_path / "new", who="bo\n\u2028b", what="owner list", before=["é"], after=tmp_path)
    first, second = entries(tmp_path / "new")
    assert list(first) == ["who", "when", "what", "before", "after", "previous"]
    assert (first["who"], first["previous"], first["after"]) == ("ann", "", {"team": "search"})
    assert first["when"].endswith("+00:00")
    assert (second["who"], second["before"], second["after"]) == (
        "bo\n\u2028b",
        ["é"],
        str(tmp_path),
    )
    assert verify(tmp_path / "new") is None


def test_where_nothing_was_changed_yet_all_is_whole(tmp_path: Path) -> None:
    assert verify(tmp_path) is None
    assert verify(tmp_path / "none") is None


def test_two_processes_that_write_at_once_leave_one_chain(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ADD_MANY, str(tmp_path)]
    both = [subprocess.Popen([*command, who]) for who in ("ann", "bob")]
    assert [process.wait(60) for process in both] == [0, 0]
    assert verify(tmp_path) is None
    found = entries(tmp_path)
    for who in ("ann", "bob"):
        assert [line["before"] for line in found if line["who"] == who] == list(range(40))


def test_a_process_that_is_killed_within_a_line_keeps_nobody_from_writing(tmp_path: Path) -> None:
    filled(tmp_path, 2)
    killed = subprocess.run([sys.executable, "-c", DIE_WITHIN_A_LINE, str(tmp_path)], check=False)
    assert killed.returncode == -9
    fault = verify(tmp_path)
    assert fault
    assert (fault.line, fault.why) == (3, "it was cut short")
    record(tmp_path, who="bob", what="went on", before=None, after=None)
    assert verify(tmp_path) is None
    *_, aside, last = entries(tmp_path)
    assert (aside["what"], last["what"]) == (CUT_SHORT, "went on")
    assert aside["before"].startswith('{"who": "a"')


@given(left=st.binary(min_size=1, max_size=9000).filter(lambda left: b"\n" not in left))
def test_whatever_a_crash_leaves_is_kept_apart(
    tmp_path_factory: pytest.TempPathFactory, left: bytes
) -> None:
    folder = tmp_path_factory.mktemp("ledger")
    whole = filled(folder, 2)
    (folder / CHANGES).write_bytes(whole + left)
    assert verify(folder) is not None
    record(folder, who="bob", what="went on", before=None, after=None)
    assert verify(folder) is None
    assert (folder / CHANGES).read_bytes().startswith(whole)
    assert entries(folder)[2]["before"] == left.decode("utf-8", "backslashreplace")


def test_a_whole_line_without_its_end_does_not_pass_as_whole(tmp_path: Path) -> None:
    written = filled(tmp_path, 3)
    (tmp_path / CHANGES).write_bytes(written[:-1])
    fault = verify(tmp_path)
    assert fault
    assert fault.line == 3


@pytest.mark.parametrize("behind", [0, 1])
def test_a_crash_before_the_head_is_written_is_no_fault(tmp_path: Path, behind: int) -> None:
    filled(tmp_path, behind + 1)
    head = "".join(entry["previous"] for entry in entries(tmp_path)[-1:])
    (tmp_path / HEAD).write_text(head)
    assert verify(tmp_path) is None
    record(tmp_path, who="bob", what="went on", before=None, after=None)
    assert verify(tmp_path) is None


def test_a_copy_that_cannot_be_written_is_verified(tmp_path: Path) -> None:
    filled(tmp_path / "ledger")
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in (CHANGES, HEAD):
        (copy / name).write_bytes((tmp_path / "ledger" / name).read_bytes())
    copy.chmod(0o555)
    assert verify(copy) is None
    copy.chmod(0o755)


@pytest.mark.parametrize("line", range(4))
def test_a_line_that_was_changed_is_named(tmp_path: Path, line: int) -> None:
    lines = filled(tmp_path).splitlines(keepends=True)
    lines[line] = lines[line].replace(b"ann", b"eve")
    (tmp_path / CHANGES).write_bytes(b"".join(lines))
    fault = verify(tmp_path)
    assert fault
    assert fault.line == line + 1
    assert str(fault).startswith(f"changes.jsonl, line {line + 1}: ")


@given(data=st.data())
def test_no_byte_can_be_changed_put_in_or_taken_out(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("ledger")
    written = filled(folder, 3)
    start = data.draw(st.integers(0, len(written) - 1))
    end = data.draw(st.integers(start, len(written)))
    forged = written[:start] + data.draw(st.binary(max_size=20)) + written[end:]
    (folder / CHANGES).write_bytes(forged)
    fault = verify(folder)
    assert (fault is None) == (forged == written)
    touched = written[:start].count(b"\n") + 1
    if fault:
        assert touched - 1 <= fault.line <= touched + 1


@given(data=st.data())
def test_no_line_can_be_removed_doubled_or_moved(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("ledger")
    lines = filled(folder, 4).splitlines(keepends=True)
    order = data.draw(st.lists(st.integers(0, 3), max_size=6))
    (folder / CHANGES).write_bytes(b"".join(lines[number] for number in order))
    assert (verify(folder) is None) == (order == [0, 1, 2, 3])


def test_what_was_cut_off_stays_missed(tmp_path: Path) -> None:
    lines = filled(tmp_path).splitlines(keepends=True)
    (tmp_path / CHANGES).write_bytes(b"".join(lines[:2]))
    record(tmp_path, who="eve", what="went on", before=None, after=None)
    record(tmp_path, who="bob", what="went on", before=None, after=None)
    fault = verify(tmp_path)
    assert fault
    assert fault.line == 2


def test_a_list_that_is_gone_is_told(tmp_path: Path) -> None:
    filled(tmp_path)
    (tmp_path / CHANGES).unlink()
    fault = verify(tmp_path)
    assert fault
    assert str(fault) == "changes.jsonl, line 1: the file is gone"
