"""The owner list: which of its rows speak of a line, and what is refused."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeback.attribution.owners import (
    OwnerListError,
    note_from_cell,
    note_to_cell,
    read_owners,
)
from chargeback.dimensions import UNALLOCATED

ROLE = "arn:aws:iam::111122223333:role/search"
FULL_WIDTH = "\uff11" * 12
HEADER = "iam_principal,usage_account_id,team,effective_from,effective_to\n"


def owners(folder: Path, text: str) -> Path:
    file = folder / "owners.csv"
    file.write_text(text, "utf-8")
    return file


def test_rows_keep_their_order_and_their_text(tmp_path: Path) -> None:
    file = owners(tmp_path, f"\ufeff{HEADER}{ROLE},,suche,,\n,444455556666,検索 ,,\n")
    first, second = read_owners(file)
    assert (first.iam_principal, first.values) == (ROLE, {"team": "suche"})
    assert (second.usage_account_id, second.values) == ("444455556666", {"team": "検索"})


def test_a_row_is_in_force_from_its_first_day_to_before_its_last(tmp_path: Path) -> None:
    (row,) = read_owners(owners(tmp_path, f"{HEADER}{ROLE},,search,2026-04-01,2026-07-01\n"))
    start, end, day = date(2026, 4, 1), date(2026, 7, 1), timedelta(days=1)
    in_force = [row.is_in_force(on) for on in (start - day, start, end - day, end)]
    assert in_force == [False, True, True, False]


def test_who_to_ask_and_a_note_are_read_and_decide_nothing(tmp_path: Path) -> None:
    text = f'iam_principal,team,note,owner_email\n{ROLE},a,"since ""March"", v2",ann@x.org\n'
    (row,) = read_owners(owners(tmp_path, text))
    assert (row.owner_email, row.note) == ("ann@x.org", 'since "March", v2')
    assert row.values == {"team": "a"}


@pytest.mark.parametrize(
    ("cell", "note"),
    [("'=1+1", "=1+1"), ("=1+1", "=1+1"), ("''@a", "'@a"), ("'tis", "'tis"), ("'", "'")],
)
def test_a_note_loses_only_the_apostrophe_that_guards_it(
    tmp_path: Path, cell: str, note: str
) -> None:
    (row,) = read_owners(owners(tmp_path, f"iam_principal,team,note\n{ROLE},a,{cell}\n"))
    assert row.note == note


@given(st.text("'=+-@ax", max_size=6))
def test_every_note_survives_and_no_cell_of_it_is_a_formula(note: str) -> None:
    cell = note_to_cell(note)
    assert note_from_cell(cell) == note
    assert cell[:1] not in set("=+-@")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "principal,team\nx,y\n",
            r"line 1: unknown columns \['principal'\].*names the columns, of iam_principal",
        ),
        ("", "the list is empty, it has no header"),
        (f"{HEADER},,search,,\n", "line 2: names neither"),
        (f"{HEADER}{ROLE},,a,,\n{ROLE},,b,01.04.2026,\n", "line 3: a date is not written"),
        (f"{HEADER}{ROLE},,a,2026-07-01,2026-07-01\n", "line 2: effective_from is not before"),
        (f"{HEADER}{ROLE},,a,,,more\n", "line 2: more cells than columns"),
        (f"{HEADER},,a,,\n{ROLE},,b,x,\n", "line 2: .*; line 3: "),
        ("  \n\n", "the list is empty, it has no header"),
        ("\ufeff", "the list is empty, it has no header"),
        ("iam_principal;team\nx;y\n", "line 1: unknown columns .*commas separate columns"),
        ("iam_principal,team,team\nx,y,z\n", "line 1: the header names team twice"),
        ("iam_principal,effective_to\n", "line 1: there is no column tenant or team or"),
        ("team,project\n", "line 1: there is no column iam_principal or usage_account_id"),
        (f"\n\n{HEADER}{ROLE},,a,,\n{HEADER}", "line 5: the header again"),
        (f'{HEADER}*,,"x,,\n*,,z,,\n', "line 2: a quote is left open"),
        (f'{HEADER}*,,"x,,\n*,,"z,,\n', "line 2: a quote is left open; line 3: a quote is"),
        (f'{HEADER}*,,"x"y,,\n', "line 2: text after a closing quote"),
        (f'{HEADER}*,,x"y",,\n', "line 2: a quote within a cell that does not begin with one"),
        (f'{HEADER}*,, "x",,\n', "line 2: a quote within a cell that does not begin with one"),
        (f"{HEADER},1.11122E+11,x,,\n", r"line 2: account 1.11122E\+11 is rounded: a spreadsheet"),
        (f"{HEADER},11122223333,x,,\n", "line 2: account 11122223333 has 11 digits, not twelve"),
        (f"{HEADER},1111-2222-3333,x,,\n", "line 2: account 1111-2222-3333 is not twelve digits"),
        (f"{HEADER},*,x,,\n", r"line 2: account \* is not twelve digits; for every account leave"),
        (f"{HEADER},{FULL_WIDTH},x,,\n", "line 2: account .* is not twelve digits"),
        *(
            (f"{HEADER}{ROLE[:-6]}{wild},,x,,\n", rf"line 2: {re.escape(wild[0])} in iam_principal")
            for wild in ("?", "[a-z]*", "]", "{a}", "(a|b)", "|", "^", "$", "%", "\\d")
        ),
        (f"{HEADER}{ROLE},,a,,\n{ROLE},,b,,\n", "line 3: as line 2, but with another team for"),
        (f"{HEADER}a**,,a,,\na*,,b,,\n", "line 3: as line 2, but with another team for"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(OwnerListError, match=said):
        read_owners(owners(tmp_path, text))


def test_a_list_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OwnerListError, match=r"owners\.csv can't be read.*No such file") as problem:
        read_owners(tmp_path / "owners.csv")
    assert str(tmp_path) not in str(problem.value)
    (tmp_path / "owners.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(OwnerListError, match="can't be read as UTF-8 CSV"):
        read_owners(tmp_path / "owners.csv")


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_rows_know_their_lines(tmp_path: Path, newline: str) -> None:
    file = tmp_path / "owners.csv"
    text = f'{HEADER}{ROLE},,"a, ""b""",,\n\n,444455556666, c ,,\n'
    file.write_bytes(text.replace("\n", newline).encode("utf-8-sig"))
    assert [(row.line, row.values["team"]) for row in read_owners(file)] == [
        (2, 'a, "b"'),
        (4, "c"),
    ]


def test_a_value_that_names_nobody_is_none(tmp_path: Path) -> None:
    (row,) = read_owners(owners(tmp_path, f"{HEADER}{ROLE},,{UNALLOCATED},,\n"))
    assert row.values == {}


@pytest.mark.parametrize(
    ("dates", "fits"),
    [
        (("2026-01-01,2026-02-01", "2026-02-01,2026-03-01"), True),
        (("2026-02-01,2026-03-01", "2026-01-01,2026-02-02"), False),
        ((",", "2026-02-01,2026-03-01"), False),
        (("2026-02-01,", ",2026-02-01"), True),
    ],
)
def test_the_same_keys_may_change_owners_but_not_have_two(
    tmp_path: Path, dates: tuple[str, str], fits: bool
) -> None:
    one, two = dates
    file = owners(tmp_path, f"{HEADER}{ROLE},,a,{one}\n*,,x,,\n{ROLE},,b,{two}\n")
    if fits:
        assert len(read_owners(file)) == 3
    else:
        with pytest.raises(OwnerListError, match="line 4: as line 2, but with another team"):
            read_owners(file)


DAYS = st.dates(date(2026, 1, 1), date(2026, 1, 12))
SPANS = st.tuples(DAYS, DAYS).filter(lambda span: span[0] < span[1])


@given(st.lists(st.tuples(SPANS, st.sampled_from("ab")), max_size=6))
def test_rows_with_the_same_keys_are_refused_exactly_where_they_contradict(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[tuple[date, date], str]]
) -> None:
    lines = [f"{ROLE},,{team},{start},{end}\n" for (start, end), team in rows]
    file = owners(tmp_path_factory.mktemp("list"), HEADER + "".join(lines))
    contradict = any(
        one[1] != two[1] and one[0][0] < two[0][1] and two[0][0] < one[0][1]
        for one in rows
        for two in rows
    )
    if contradict:
        with pytest.raises(OwnerListError, match="another team for the same days"):
            read_owners(file)
    else:
        assert len(read_owners(file)) == len(rows)


@given(st.lists(st.text(st.characters(exclude_categories=["C", "Z"])), min_size=1, max_size=4))
def test_what_a_spreadsheet_writes_is_read(
    tmp_path_factory: pytest.TempPathFactory, teams: list[str]
) -> None:
    written = io.StringIO(newline="")
    rows = [{"iam_principal": f"role-{n}", "team": team} for n, team in enumerate(teams)]
    table = csv.DictWriter(written, ["iam_principal", "team"])
    table.writeheader()
    table.writerows(rows)
    read = read_owners(owners(tmp_path_factory.mktemp("list"), written.getvalue()))
    assert [row.values.get("team", "") for row in read] == [
        "" if team == UNALLOCATED else team for team in teams
    ]
