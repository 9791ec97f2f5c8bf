"""An owner list that is edited: what is written is what was meant, and nothing else changes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeback.attribution.owner_draft import Draft, Entry, ReadList, draft_of, read_list
from chargeback.attribution.owners import (
    COLUMNS,
    KEYS,
    NOTES,
    VALUES,
    OwnerListError,
    OwnerRow,
    parse_owners,
)
from chargeback.dimensions import UNALLOCATED
from chargeback.errors import UsageProblem

ROLE = "arn:aws:iam::111122223333:role/search"
TEXT = f"""\
iam_principal,usage_account_id,team,effective_from
{ROLE},,"search",2026-04-01

,444455556666, shop ,20260501
"""


def listed(text: str) -> ReadList:
    return ReadList("owners.csv", text.encode())


def edited(read: ReadList, line: int, **cells: str) -> list[Entry]:
    return [
        Entry.of({**entry.cells, **cells}, entry.line) if entry.line == line else entry
        for entry in read.entries
    ]


def saved(draft: Draft) -> str:
    return draft.content.decode()


def test_what_nobody_touched_stays_to_the_byte() -> None:
    read = listed(TEXT)
    draft = draft_of(read, read.entries)
    assert (draft.content, draft.changes, draft.faults) == (TEXT.encode(), (), ())
    longer = draft_of(read, [*read.entries, Entry.of({"usage_account_id": "1" * 12, "team": "x"})])
    assert saved(longer) == f"{TEXT},{'1' * 12},x,\n"


def test_a_row_that_is_ended_keeps_its_place_and_the_list_gains_the_column() -> None:
    read = listed(TEXT)
    draft = draft_of(read, edited(read, 2, effective_to="2026-07-01"))
    assert saved(draft) == TEXT.replace("_from\n", "_from,effective_to\n").replace(
        '"search",2026-04-01', "search,2026-04-01,2026-07-01"
    )
    ((before, after),) = draft.changes
    assert before is not None
    assert after is not None
    assert (before.cells["effective_to"], after.cells["effective_to"]) == ("", "2026-07-01")


def test_a_row_that_is_taken_out_is_gone_and_no_other() -> None:
    read = listed(TEXT)
    draft = draft_of(read, read.entries[1:])
    assert saved(draft) == TEXT.replace(f'{ROLE},,"search",2026-04-01\n', "")
    assert [change.after for change in draft.changes] == [None]


def test_a_date_in_another_spelling_is_no_change() -> None:
    read = listed(TEXT)
    assert draft_of(read, edited(read, 4, effective_from="2026-05-01")).changes == ()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_mark_stay(end: str, mark: str) -> None:
    text = mark + TEXT.replace("\n", end)
    read = listed(text)
    assert saved(draft_of(read, edited(read, 2, team="other"))) == text.replace('"search"', "other")


@pytest.mark.parametrize("nothing", [None, b"", b" \n\n", b"\xef\xbb\xbf"])
def test_a_list_that_is_not_there_yet_begins_with_all_columns(
    tmp_path: Path, nothing: bytes | None
) -> None:
    file = tmp_path / "owners.csv"
    if nothing is not None:
        file.write_bytes(nothing)
    read = read_list(file)
    assert (read.entries, draft_of(read, []).changes) == ([], ())
    draft = draft_of(read, [Entry.of({"iam_principal": ROLE, "team": "a"})])
    assert saved(draft).removeprefix("\ufeff").split("\n") == [
        ",".join(COLUMNS),
        f"{ROLE},,,a,,,,,,",
        "",
    ]


def test_what_is_wrong_is_told_as_of_the_file_all_at_once() -> None:
    read = listed(TEXT)
    new = [Entry.of({"team": "x"}), Entry.of({"iam_principal": f"{ROLE}?", "team": "x"})]
    draft = draft_of(read, [*edited(read, 2, usage_account_id="12"), *new])
    assert [fault.line for fault in draft.faults] == [2, 5, 6]
    assert draft.faults == tuple(parse_owners(saved(draft))[1])


def test_rows_that_contradict_each_other_are_told() -> None:
    read = listed(TEXT)
    draft = draft_of(read, [*read.entries, Entry.of({"iam_principal": ROLE, "team": "b"})])
    assert [str(fault) for fault in draft.faults] == [
        "line 5: as line 2, but with another team for the same days"
    ]


def test_a_wrong_date_or_account_can_be_corrected() -> None:
    read = listed(f"iam_principal,team,effective_from\n{ROLE},a,01.04.2026\n")
    assert [fault.line for fault in read.faults] == [2]
    draft = draft_of(read, edited(read, 2, effective_from="2026-04-01"))
    assert draft.faults == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f'{TEXT}*,,"x,\n', 5),
        (f"{TEXT}*,,x,,,more\n", 5),
        (f"{TEXT}{TEXT}", 5),
        ("\n\nprincipal,team\n", 3),
    ],
)
def test_a_list_whose_cells_cannot_be_told_apart_is_not_edited(text: str, line: int) -> None:
    with pytest.raises(UsageProblem, match=f"line {line}: .*can't be edited here"):
        _ = listed(text).entries


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "owners.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(OwnerListError, match="can't be read as UTF-8 CSV"):
        read_list(tmp_path / "owners.csv")


def test_a_line_that_two_rows_claim_counts_once() -> None:
    read = listed(TEXT)
    first = read.entries[0]
    draft = draft_of(read, [*read.entries, Entry.of({**first.cells, "team": "b"}, first.line)])
    assert len(draft.changes) == 1
    assert draft.changes[0].before is None


ONE_LINE = st.text(st.characters(exclude_characters="\r\n", codec="utf-8")).map(str.strip)
ANY_TEXT = st.text(st.characters())
ROWS = st.lists(
    st.fixed_dictionaries(
        {"iam_principal": st.sampled_from([ROLE, "*gateway", "arn:aws:iam::*:role/a"])},
        optional={
            "usage_account_id": st.sampled_from(["111122223333", ""]),
            "effective_from": st.dates(max_value=date(9999, 12, 30)).map(str),
            **dict.fromkeys((*VALUES, *NOTES), ONE_LINE),
        },
    ),
    max_size=5,
)


def meant(row: dict[str, str]) -> tuple[object, ...]:
    given = {name: row.get(name, "") for name in VALUES}
    values = {name: text for name, text in given.items() if text not in ("", UNALLOCATED)}
    return (*(row.get(name, "") for name in KEYS), values, *(row.get(name, "") for name in NOTES))


def held(row: OwnerRow) -> tuple[object, ...]:
    return (row.iam_principal, row.usage_account_id, row.values, row.owner_email, row.note)


@given(ROWS, ROWS, st.sampled_from([TEXT, "", f"\ufeff{TEXT}".replace("\n", "\r\n")]))
def test_a_saved_list_reads_back_as_what_was_edited(
    first: list[dict[str, str]], second: list[dict[str, str]], text: str
) -> None:
    start = listed(text)
    once = draft_of(start, [*start.entries, *map(Entry.of, first)])
    read = ReadList("owners.csv", once.content)
    twice = draft_of(read, [*read.entries, *map(Entry.of, second)])
    again = ReadList("owners.csv", twice.content)
    assert [entry.cells for entry in again.entries] == [
        entry.cells for entry in [*start.entries, *map(Entry.of, first), *map(Entry.of, second)]
    ]
    rows = twice.rows[len(twice.rows) - len(second) :]
    assert [held(row) for row in rows] == [meant(row) for row in second]


@pytest.mark.parametrize(
    ("note", "written"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("half \ud800 a character", "half ? a character"),
        ("two\r\nlines", "two lines"),
        ('a "quote", and more', '"a ""quote"", and more"'),
    ],
)
def test_a_note_is_written_so_that_nothing_takes_it_for_more(note: str, written: str) -> None:
    entry = Entry.of({"iam_principal": ROLE, "team": "a", "note": note})
    draft = draft_of(listed("iam_principal,team,note"), [entry])
    assert saved(draft) == f"iam_principal,team,note\n{ROLE},a,{written}"


@given(ANY_TEXT, ANY_TEXT)
def test_any_text_can_be_written_down_as_a_note(note: str, email: str) -> None:
    entry = Entry.of({"iam_principal": ROLE, "team": "a", "note": note, "owner_email": email})
    (row,) = draft_of(listed(TEXT.split("\n", 1)[0]), [entry]).rows
    assert (row.note, row.owner_email) == (entry.cells["note"], entry.cells["owner_email"])
    if not {"\r", "\n"} & set(note):
        # Half of a character, which a browser can send, is none that a file can hold.
        assert row.note == note.encode("utf-8", "replace").decode().strip()
