"""Profiles: which there are, what one of one's own may say, and columns from a template."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from chargeback.errors import UsageProblem
from chargeback.statement.journal.profile import profile_names, read_profile
from chargeback.statement.journal.template import Fitted, fitted
from chargeback.statement.journal.write import write_journal
from tests.statement.journal.months import document, documents, posted

HEAD = 'system = "Ours"\nsource = "-"\ncertified_by_vendor = false\n'
NEEDED = """
    { name = "Date", field = "posting_date" },
    { name = "Account", field = "account" },
    { name = "Amount", field = "amount" },
"""


def test_the_profiles_that_come_with_the_program() -> None:
    assert profile_names() == [
        "business-central",
        "dynamics365",
        "generic",
        "netsuite",
        "oracle-fusion",
        "quickbooks",
        "sap",
        "workday",
    ]


def test_a_name_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageProblem, match=r"'../netsuite'.*generic, netsuite.*ends in \.toml"):
        read_profile("../netsuite")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("columns = [", "is not TOML in UTF-8"),
        ("colums = []", "colums: Extra inputs"),
        ('date_format = "YY"', "date_format: Input should be"),
        (
            f'columns = [{NEEDED} {{ name = "x", field = "acount" }}]',
            "entry 4: .*'acount' is no field",
        ),
        (
            f'columns = [{NEEDED} {{ name = "x", field = "line", constant = "1" }}]',
            "entry 4: .*one of field, constant",
        ),
        (f"columns = [{NEEDED.replace('amount', 'debit')}]", "no column has the field amount, or"),
        (f"columns = [{NEEDED.replace('account', 'line')}]", "no column has the field account"),
    ],
)
def test_a_profile_that_says_something_else_is_refused(
    text: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "ours.toml"
    file.write_text(HEAD + text, "utf-8")
    with pytest.raises(UsageProblem, match=f"The profile ours.toml.*{said}"):
        read_profile(str(file))


def test_a_profile_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match=r"ours\.toml can't be read: No such file"):
        read_profile(str(tmp_path / "ours.toml"))


@pytest.mark.parametrize("name", ["sap", "workday"])
def test_layouts_that_differ_by_customer_are_refused_until_their_columns_are_set(
    name: str, tmp_path: Path
) -> None:
    journal = posted(documents(document("a", "1.00")))
    with pytest.raises(UsageProblem, match=r"its columns are not set.*--template"):
        write_journal(journal, read_profile(name), tmp_path)
    assert list(tmp_path.iterdir()) == []


def template(folder: Path, header: str, encoding: str = "utf-8") -> Path:
    file = folder / "template.csv"
    file.write_bytes(f"{header}\r\nsample\r\n".encode(encoding))
    return file


def rows(found: Fitted, folder: Path) -> list[list[str]]:
    (file,) = write_journal(posted(documents(document("a", "1.00"))), found.profile, folder)
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.reader(opened, delimiter=found.profile.delimiter))


def test_a_template_gives_the_columns_their_order_and_separator(tmp_path: Path) -> None:
    header = "\ufeff*Company Code;Posting Date;G/L account;Debit;CREDIT;Item Text;Value Date"
    found = fitted(read_profile("sap"), template(tmp_path, header))
    assert found.unfilled == ["Value Date"]
    head, unit, clearing = rows(found, tmp_path)
    assert head == header.removeprefix("\ufeff").split(";")
    assert unit == ["", "2026-10-31", "7001", "1.00", "", "Amazon Bedrock 2026-10: a", ""]
    assert clearing[2:5] == ["6500", "", "1.00"]


def test_a_template_of_workdays_is_known(tmp_path: Path) -> None:
    header = "H_JournalKey,H_AccountingDate,L_Order,L_LedgerAccount,L_DebitAmount,L_CreditAmount"
    found = fitted(read_profile("workday"), template(tmp_path, header))
    assert found.unfilled == []
    _, unit, _ = rows(found, tmp_path)
    assert unit[1:] == ["2026-10-31", "1", "7001", "1.00", ""]


def test_a_template_may_order_any_profiles_columns(tmp_path: Path) -> None:
    header = "credit,debit,account,posting_date"
    found = fitted(read_profile("generic"), template(tmp_path, header))
    (file,) = write_journal(posted(documents(document("a", "1.00"))), found.profile, tmp_path)
    assert file.read_text("utf-8-sig").splitlines() == [
        header,
        ",1.00,7001,2026-10-31",
        "1.00,,6500,2026-10-31",
    ]


@pytest.mark.parametrize(
    ("header", "encoding", "said"),
    [
        ("Posting Date,Debit,Credit", "utf-8", "known to hold the account"),
        ("Posting Date,G/L Account,Debit", "utf-8", "known to hold the amount, or debit and"),
        ("", "utf-8-sig", "known to hold the posting_date"),
        ("Größe", "latin-1", "is no CSV file in UTF-8.*a workbook can't be read"),
    ],
)
def test_a_template_that_cannot_be_filled_is_refused(
    header: str, encoding: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageProblem, match=f"template.csv.*{said}"):
        fitted(read_profile("sap"), template(tmp_path, header, encoding))


def test_a_template_that_is_empty_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "template.csv").write_bytes(b"\r\n")
    with pytest.raises(UsageProblem, match=r"template.csv is empty"):
        fitted(read_profile("sap"), tmp_path / "template.csv")
    with pytest.raises(UsageProblem, match=r"none.csv can't be read"):
        fitted(read_profile("sap"), tmp_path / "none.csv")
