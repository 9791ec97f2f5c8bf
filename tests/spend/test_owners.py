"""The owner list: which of its rows speak of a line, and what is refused."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from chargeback.spend.owners import OwnerListError, read_owners

ROLE = "arn:aws:iam::111122223333:role/search"
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


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        (ROLE, True),
        ("arn:aws:iam::*:role/search", True),
        ("*", True),
        ("arn:aws:iam::111122223333:role/SEARCH", False),
        ("role/search", False),
    ],
)
def test_a_star_stands_for_any_text(tmp_path: Path, pattern: str, matches: bool) -> None:
    (row,) = read_owners(owners(tmp_path, f"{HEADER}{pattern},,search,,\n"))
    assert row.matches("111122223333", (ROLE,)) is matches


def test_principal_and_account_must_both_match(tmp_path: Path) -> None:
    (row,) = read_owners(owners(tmp_path, f"{HEADER}{ROLE},111122223333,search,,\n"))
    assert row.matches("111122223333", (ROLE,))
    assert not row.matches("444455556666", (ROLE,))
    assert not row.matches("111122223333", ("",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "principal,team\nx,y\n",
            r"line 1: unknown columns \['principal'\].*names the columns, of iam_principal",
        ),
        ("", "it is empty and has no header"),
        (f"{HEADER},,search,,\n", "line 2: names neither"),
        (f"{HEADER}{ROLE},,a,,\n{ROLE},,b,01.04.2026,\n", "line 3: a date is not written"),
        (f"{HEADER}{ROLE},,a,2026-07-01,2026-07-01\n", "line 2: effective_from is not before"),
        (f"{HEADER}{ROLE},,a,,,more\n", "line 2: more cells than columns"),
        (f"{HEADER},,a,,\n{ROLE},,b,x,\n", "line 2: .*; line 3: "),
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
