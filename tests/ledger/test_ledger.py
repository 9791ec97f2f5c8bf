"""What a ledger promises, in a folder and in S3 alike."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier

import pytest

from chargeback.ledger.chain import Entry, append, link_of, read_entries, verify
from chargeback.ledger.ledger import Ledger

MANY = 8


def test_an_object_is_made_once_and_stays(ledger: Ledger, tmp_path: Path) -> None:
    objects = ledger.objects
    assert objects.names("") == []
    assert objects.create("entries/000001.json", b"first")
    assert not objects.create("entries/000001.json", b"second")
    assert objects.read("entries/000001.json") == b"first"
    objects.download("entries/000001.json", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"first"


def test_a_file_becomes_an_object_byte_for_byte(ledger: Ledger, tmp_path: Path) -> None:
    file = tmp_path / "spend.parquet"
    file.write_bytes(os.urandom(3 * 2**20))
    assert ledger.objects.create("2026-10/1/spend.parquet", file)
    assert not ledger.objects.create("2026-10/1/spend.parquet", file)
    assert ledger.objects.read("2026-10/1/spend.parquet") == file.read_bytes()


def test_names_come_in_order_and_only_those_that_begin_so(ledger: Ledger) -> None:
    names = ["months/2026-10/1/a b é.csv", "entries/000002.json", "entries/000010.json", "entry"]
    for name in names:
        ledger.objects.create(name, b"")
    assert ledger.objects.names("") == sorted(names)
    assert ledger.objects.names("entries/") == ["entries/000002.json", "entries/000010.json"]
    assert ledger.objects.names("months/2026-1") == ["months/2026-10/1/a b é.csv"]
    assert ledger.objects.names("nothing/") == []


def test_what_is_not_there_is_not_found(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ledger.objects.read("close.json")
    with pytest.raises(FileNotFoundError):
        ledger.objects.download("close.json", tmp_path / "copy")


def test_of_many_who_make_an_object_one_wins(ledger: Ledger) -> None:
    together = Barrier(MANY)

    def make(number: int) -> bool:
        together.wait()
        return ledger.objects.create("entries/000001.json", f"by {number}".encode())

    with ThreadPoolExecutor(MANY) as pool:
        won = list(pool.map(make, range(MANY)))
    assert won.count(True) == 1
    assert ledger.objects.read("entries/000001.json") == f"by {won.index(True)}".encode()


def test_of_many_who_add_an_entry_at_once_one_does(ledger: Ledger) -> None:
    together = Barrier(MANY)

    def add(number: int) -> bool:
        before = read_entries(ledger.objects)
        link = link_of(ledger.objects, before)
        together.wait()
        return append(ledger.objects, reopening(len(before) + 1, link, str(number)))

    for done in (1, 2):
        with ThreadPoolExecutor(MANY) as pool:
            assert list(pool.map(add, range(MANY))).count(True) == 1
        assert [entry.number for entry in read_entries(ledger.objects)] == list(range(1, done + 1))
        ledger.record(who="ann", what="reopened", before=None, after={"entry": done})
        assert verify(ledger) is None


def reopening(number: int, previous: str, who: str) -> Entry:
    """An entry without files."""
    return Entry(
        number=number,
        previous=previous,
        kind="reopen",
        billing_period="2026-10",
        revision=1,
        payer_account_ids=("999988887777",),
        who=who,
        when=datetime(2026, 11, 23, tzinfo=UTC),
        note="",
    )


def test_a_change_says_who_when_what_before_and_after(ledger: Ledger) -> None:
    assert list(ledger.changes()) == []
    assert ledger.verify_changes() is None
    ledger.record(who="ann", what="owner list", before=None, after={"team": "search"})
    ledger.record(who="bo\n\u2028\r", what="owner list", before=["é"], after=Path("/data"))
    first, second = ledger.changes()
    assert list(first) == ["who", "when", "what", "before", "after", "previous"]
    assert (first["who"], first["after"], first["previous"]) == ("ann", {"team": "search"}, "")
    assert (second["who"], second["before"], second["after"]) == ("bo\n\u2028\r", ["é"], "/data")
    line = ledger.objects.read("changes.jsonl").splitlines()[0]
    assert second["previous"] == hashlib.sha256(line).hexdigest()
    assert ledger.verify_changes() is None


def test_of_many_who_write_at_once_none_is_lost(ledger: Ledger) -> None:
    each, together = 4, Barrier(MANY)

    def write(who: int) -> None:
        together.wait()
        for number in range(each):
            ledger.record(who=str(who), what="counted", before=number, after=number + 1)
            assert ledger.verify_changes() is None  # whatever the others are at

    with ThreadPoolExecutor(MANY) as pool:
        list(pool.map(write, range(MANY)))
    found = list(ledger.changes())
    assert len(found) == MANY * each
    for who in range(MANY):
        assert [e["before"] for e in found if e["who"] == str(who)] == list(range(each))


def test_one_at_a_time(ledger: Ledger) -> None:
    inside: list[int] = []
    together = Barrier(MANY)

    def enter(_: int) -> int:
        together.wait()
        with ledger.one_at_a_time("owner-lists"):
            inside.append(1)
            most = len(inside)
            inside.pop()
        return most

    with ThreadPoolExecutor(MANY) as pool:
        assert set(pool.map(enter, range(MANY))) == {1}
