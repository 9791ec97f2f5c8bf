"""accounts.csv: what a person's spreadsheet may make of it, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargeback.dimensions import UNALLOCATED
from chargeback.errors import UsageProblem
from chargeback.statement.journal.accounts import AccountsError, accounts_in, read_accounts
from chargeback.statement.journal.settings import JournalSettings


def test_accounts_have_a_cost_center_and_further_dimensions() -> None:
    found = accounts_in(
        "accounts.csv",
        b"\xef\xbb\xbfBill_To,account,cost_center,Department\r\n"
        b'"acme ""x"", corp", 7410 ,CC-100,Sales\r\n\r\n'
        b"(unallocated),7490\r\n"
        b",6500,CC-000,\r\n",
    )
    assert found.dimensions == ("cost_center", "department")
    acme, unallocated = found.of('acme "x", corp'), found.of(UNALLOCATED)
    assert acme and unallocated
    assert (acme.number, acme.dimensions) == (
        "7410",
        {"cost_center": "CC-100", "department": "Sales"},
    )
    assert (unallocated.number, unallocated.dimensions["cost_center"]) == ("7490", "")
    assert found.dimensions_of("6500")["cost_center"] == "CC-000"
    assert found.dimensions_of("6501") == {}
    assert found.of("globex") is None


@pytest.mark.parametrize("spelled", ["=1+1", "'=1+1"])
def test_a_unit_may_be_copied_from_our_files(spelled: str) -> None:
    found = accounts_in("accounts.csv", f"bill_to,account\n{spelled},7410\n".encode())
    account = found.of("=1+1")
    assert account
    assert account.number == "7410"


def test_the_same_row_twice_is_one() -> None:
    found = accounts_in("accounts.csv", b"bill_to,account\na,1\na,1\n")
    assert list(found.of_units) == ["a"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "line 1: there is no column bill_to or account"),
        (b"bill_to;account\na;1\n", "line 1: there is no column .*; commas separate columns"),
        (b"bill_to,account,account\n", "line 1: the header names account twice"),
        (b"bill_to,account,\na,1,2\n", "line 1: a column has no name"),
        (b"bill_to,account\na,\n", "line 2: there is no account"),
        (b"bill_to,account\na,1\nb,1,2\n", "line 3: more cells than columns"),
        (b'bill_to,account\n"a,1\n', "line 2: a quote is left open"),
        (b"bill_to,account\na,1\nb,2\na,3\n", "line 4: a is otherwise in line 2"),
        (b"bill_to,account,c\n,1,x\n,1,y\n", "line 3: 1 is otherwise in line 2"),
        (
            b"bill_to,account\na,=1+1\nb,@x\n",
            "line 2: account '=1.1' begins .*line 3: account '@x'",
        ),
        (b"bill_to,account\na,-7410\n", "line 2: account '-7410' begins like a formula"),
        (b"bill_to,account,cost_center\na,1,+C\n", r"line 2: cost_center '\+C' begins"),
        (b"bill_to,account\na,1\x002\n", "line 2: account .* has blanks or signs"),
        (b"bill_to,account\na,1\n\xe4,2\n", "line 3, is not written in UTF-8"),
        ("bill_to,account\na,1\n".encode("utf-16"), "line 1, is not written in UTF-8"),
    ],
)
def test_what_is_wrong_is_named_by_line(content: bytes, said: str) -> None:
    with pytest.raises(AccountsError, match=said):
        accounts_in("accounts.csv", content)


def test_a_list_that_is_not_there_says_where_to_set_it(tmp_path: Path) -> None:
    with pytest.raises(
        UsageProblem, match=r"accounts\.csv can't be read: No such file.*\[journal\]"
    ):
        read_accounts(tmp_path / "accounts.csv")


@pytest.mark.parametrize("account", ["=1", "+1", "-1", "@1", " 1", "1\n"])
def test_settings_refuse_the_same_accounts(account: str) -> None:
    for setting in ({"clearing_account": account}, {"clearing": {"AWS Marketplace": account}}):
        with pytest.raises(ValueError, match=r"begins like a formula|has blanks or signs"):
            JournalSettings.model_validate(setting)
