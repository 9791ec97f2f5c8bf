"""Which row counts: the more specific one, whatever the order of the file."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeback.attribution.owner_list import Choice, OwnerList
from chargeback.attribution.owners import OwnerListError, OwnerRow

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/gateway"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/gateway/alice"
DAY = date(2026, 10, 15)
ASCENDING = [
    ("", ACCOUNT),
    ("*", ""),
    ("*", ACCOUNT),
    ("*gateway", ""),
    ("*gateway", ACCOUNT),
    ("arn:aws:sts::*:assumed-role/gateway/*", ""),
    (ROLE, ""),
    (ROLE, ACCOUNT),
    (SESSION, ""),
    (SESSION, ACCOUNT),
]
"""Keys that all speak of SESSION, each more specific than those before."""


def row(
    line: int,
    principal: str = "",
    account: str = "",
    start: date = date.min,
    end: date = date.max,
    **values: str,
) -> OwnerRow:
    return OwnerRow(principal, account, values, start, end, line)


def chosen(
    rows: list[OwnerRow], dimension: str = "team", caller: str = SESSION, on: date = DAY
) -> Choice | None:
    owners = OwnerList("owners.csv", rows)
    return owners.choose(owners.matches(ACCOUNT, caller), dimension, on, caller)


@given(st.permutations(list(enumerate(ASCENDING))), st.integers(1, len(ASCENDING)))
def test_the_more_specific_row_counts_in_whatever_order(
    keys: list[tuple[int, tuple[str, str]]], some: int
) -> None:
    rows = [row(line, *of, team=str(rank)) for line, (rank, of) in enumerate(keys[:some], 2)]
    found = chosen(rows)
    assert found is not None
    assert found.row.values["team"] == str(max(rank for rank, _ in keys[:some]))
    assert found.first == rows[0]
    assert found.differs("team") is (found.row is not rows[0])


def test_a_row_without_a_value_leaves_it_to_the_next() -> None:
    rows = [row(2, SESSION, team="search"), row(3, ROLE, tenant="acme"), row(4, "*", tenant="all")]
    owners = [chosen(rows, name) for name in ("team", "tenant", "project")]
    assert [found and found.row.line for found in owners] == [2, 3, None]


def test_a_row_counts_only_while_it_is_in_force() -> None:
    rows = [row(2, SESSION, end=DAY, team="before"), row(3, ROLE, team="after")]
    days = [chosen(rows, on=on) for on in (date(2026, 10, 14), DAY)]
    assert [found and found.row.values["team"] for found in days] == ["before", "after"]


@pytest.mark.parametrize(
    ("caller", "speaks"),
    [
        (SESSION, True),
        (ROLE, True),
        (SESSION.replace("gateway", "Gateway"), False),
        (SESSION.replace("gateway", "gateway2"), False),
        ("", False),
        ("unheard of", False),
    ],
)
@pytest.mark.parametrize("key", [ROLE, "arn:aws:iam::*:role/gateway", "*role/gateway"])
def test_a_role_stands_for_its_sessions(key: str, caller: str, speaks: bool) -> None:
    assert (chosen([row(2, key, team="search")], caller=caller) is not None) is speaks


def test_principal_and_account_must_both_match() -> None:
    owners = OwnerList("owners.csv", [row(2, ROLE, ACCOUNT, team="a")])
    assert owners.matches(ACCOUNT, ROLE)
    assert not owners.matches("4" * 12, ROLE)
    assert not owners.matches(ACCOUNT, "")


def test_a_person_counts_before_the_permission_set_and_after_the_arn() -> None:
    role = "AWSReservedSSO_Analyst_0123456789abcdef"
    ann = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/ann@example.com"
    keys = ["*", f"arn:aws:iam::{ACCOUNT}:role/{role}", "ann@example.com", ann]
    rows = [row(line, key, team=str(line)) for line, key in enumerate(keys)]
    for some in range(1, len(rows) + 1):
        found = chosen(rows[:some][::-1], caller=ann)
        assert found is not None
        assert found.row.line == some - 1


def test_an_account_alone_speaks_of_lines_without_a_principal() -> None:
    rows = [row(2, "", ACCOUNT, team="a"), row(3, "*", ACCOUNT, team="b"), row(4, "", "4" * 12)]
    found = chosen(rows, caller="")
    assert found is not None
    assert found.row.line == 2


@pytest.mark.parametrize("account", ["", ACCOUNT])
@pytest.mark.parametrize("other", ["arn:aws*", "*assumed*", "*r*ole*gat*"])
def test_rows_equally_specific_contradict_each_other(other: str, account: str) -> None:
    one = row(2, "*gateway", account, team="a", project="p")
    two = row(5, other, account, team="b", project="p")
    assert chosen([one, two], "project") == Choice("owners.csv", one, one)
    with pytest.raises(OwnerListError, match=rf"lines 2 and 5 .*\(team a and b\) for {SESSION}"):
        chosen([one, two])
    assert chosen([one, row(5, other, account, end=DAY, team="b")]) is not None


def test_an_exact_row_settles_it() -> None:
    rows = [row(2, "*gateway", team="a"), row(3, "arn:aws*", team="b"), row(4, ROLE, team="c")]
    found = chosen(rows)
    assert found is not None
    assert (found.row.line, found.first.line) == (4, 2)


def test_rows_equally_specific_with_one_owner_are_fine() -> None:
    rows = [row(2, "*gateway", team="a"), row(3, "arn:aws*", team="a")]
    assert chosen(rows) == Choice("owners.csv", rows[0], rows[0])


def test_a_list_is_read_again_when_it_changed(tmp_path: Path) -> None:
    file = tmp_path / "owners.csv"
    owners = []
    for text in (f"iam_principal,team\n{ROLE},a\n", f"iam_principal,team\n{ROLE},other\n"):
        file.write_text(text, "utf-8")
        owners += [each.values["team"] for each in OwnerList.read(file).rows]
    assert owners == ["a", "other"]
