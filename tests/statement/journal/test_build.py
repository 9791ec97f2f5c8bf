"""From documents to documents of a journal: they balance, tie to both sides, and keep their ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargeback.dimensions import UNALLOCATED
from chargeback.errors import Problem, UsageProblem
from chargeback.statement.documents import DocumentSet
from chargeback.statement.journal.accounts import Account, Accounts
from chargeback.statement.journal.build import journal
from chargeback.statement.journal.model import JournalDocument, JournalLine, one_journal
from chargeback.statement.journal.settings import JournalSettings
from chargeback.statement.journal.split import documents_of
from tests.statement.journal.months import (
    BEFORE,
    LAST_DAY,
    MONTH,
    SETTINGS,
    accounts_for,
    document,
    documents,
    months,
    posted,
)

ID_LENGTH = 20
"""What Business Central's document numbers may have."""


def lines_of(found: DocumentSet, limit: int = 0) -> list[JournalLine]:
    return [line for each in documents_of(posted(found), limit) for line in each.lines]


def booked(lines: Iterable[JournalLine]) -> list[tuple[str, str]]:
    return [(line.account, f"{line.amount:.2f}") for line in lines]


def test_units_are_debited_tax_apart_and_each_seller_is_credited() -> None:
    found = documents(
        document("acme-corp", "110.00", tax="10.00"),
        document(UNALLOCATED, "5.00"),
        marketplace={(MONTH, "USD"): "40.00"},
    )
    assert booked(lines_of(found)) == [
        ("7002", "100.00"),
        ("7800", "10.00"),
        ("7001", "5.00"),  # unallocated comes last, whatever its account
        ("6500", "-75.00"),  # 110.00 + 5.00 less what Marketplace is due
        ("6501", "-40.00"),
    ]


def test_without_a_tax_account_tax_stays_with_the_unit() -> None:
    made = posted(
        documents(document("acme-corp", "110.00", tax="10.00")),
        JournalSettings(clearing_account="1"),
    )
    (entry,) = documents_of(made, 0)
    assert booked(entry.lines) == [("7001", "110.00"), ("1", "-110.00")]


def test_a_correction_is_a_line_that_names_what_it_corrects() -> None:
    found = documents(document("acme-corp", "10.00", corrections={BEFORE: "-3.00"}))
    corrected = found.documents[0].corrections[0].original_document_id
    charge, correction, *clearing = lines_of(found)
    assert (charge.amount, charge.original_id) == (Decimal("10.00"), "")
    assert (correction.amount, correction.original_id) == (Decimal("-3.00"), corrected)
    assert BEFORE in correction.text and corrected in correction.text
    assert {(line.billing_period, line.amount) for line in clearing} == {
        (MONTH, Decimal("-10.00")),
        (BEFORE, Decimal("3.00")),
    }


def test_a_document_that_replaces_another_names_it() -> None:
    line, _ = lines_of(documents(document("acme-corp", "1.00", replaces="BC-202610-WITHDRAWN1")))
    assert line.original_id == "BC-202610-WITHDRAWN1"
    assert "replaces BC-202610-WITHDRAWN1" in line.text


def test_what_only_moves_between_units_is_cleared_only_where_it_is_split() -> None:
    amounts = {"acme-corp": "-8.00", "globex": "5.00", "initech": "3.00"}
    found = documents(
        *(
            document(unit, "0.00", corrections={BEFORE: amount}, kind="ADJUSTMENT")
            for unit, amount in amounts.items()
        )
    )
    assert booked(lines_of(found)) == [("7001", "-8.00"), ("7002", "5.00"), ("7003", "3.00")]
    assert [booked(each.lines) for each in documents_of(posted(found), 2)] == [
        [("7001", "-8.00"), ("6500", "8.00")],
        [("7002", "5.00"), ("6500", "-5.00")],
        [("7003", "3.00"), ("6500", "-3.00")],
    ]


def assert_balanced(entries: Iterable[JournalDocument]) -> None:
    for each in entries:
        assert sum(line.amount for line in each.lines) == 0
        assert all(line.amount for line in each.lines)
        assert len(each.document_id) == ID_LENGTH


def by_unit(found: DocumentSet) -> dict[tuple[str, str], Decimal]:
    due: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for each in found.documents:
        due[each.bill_to, each.currency] += each.amount_due
    return {key: amount for key, amount in due.items() if amount}


def by_seller(found: DocumentSet) -> dict[tuple[str, str], Decimal]:
    due: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for each in found.clearing:
        due[SETTINGS.clearing_of(each.billing_entity), each.currency] -= each.amount
    return {key: amount for key, amount in due.items() if amount}


@settings(max_examples=150, deadline=None)
@given(found=months(), limit=st.sampled_from([0, 8, 9, 12, 200]))
def test_any_month_balances_and_ties_to_units_and_sellers(found: DocumentSet, limit: int) -> None:
    # At least 8 lines: 6 that clear three periods of two sellers, and two of units.
    made = documents_of(posted(found), limit)
    assert_balanced(made)
    assert len({each.document_id for each in made}) == len(made)
    units: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    sellers: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for each in made:
        assert not limit or len(each.lines) <= limit
        for line in each.lines:
            side = units if line.unit else sellers
            side[line.unit or line.account, each.posting.currency] += line.amount
    assert {key: amount for key, amount in units.items() if amount} == by_unit(found)
    assert {key: amount for key, amount in sellers.items() if amount} == by_seller(found)


@settings(max_examples=30, deadline=None)
@given(found=months(most_units=6))
def test_a_document_keeps_its_id_until_anything_of_it_changes(found: DocumentSet) -> None:
    listed = accounts_for(found)

    def ids(changed: DocumentSet, day: date = LAST_DAY) -> set[str]:
        made = journal(changed, SETTINGS, listed, day)
        return {each.document_id for each in documents_of(made, 0)}

    before = ids(found)
    turned = found.model_copy(
        update={"documents": found.documents[::-1], "clearing": found.clearing[::-1]}
    )
    assert ids(turned) == before
    others = [
        ids(found.model_copy(update={"revision": 2})),
        ids(found.model_copy(update={"by": "team"})),
        ids(found, day=date(2026, 11, 2)),
    ]
    assert not any(before & other for other in others)


@pytest.mark.parametrize(
    ("other", "dimensions"),
    [
        (documents(document("acme-corp", "1.01")), {}),
        (documents(document("globex", "1.00")), {}),
        (documents(document("acme-corp", "1.00", replaces="BC-202610-AAAAAAAAAA")), {}),
        (documents(document("acme-corp", "1.00")), {"department": "Sales"}),
    ],
)
def test_no_two_contents_share_an_id(other: DocumentSet, dimensions: Mapping[str, str]) -> None:
    one = posted(documents(document("acme-corp", "1.00")))
    made = (*documents_of(one, 0), *documents_of(posted(other, dimensions=dimensions), 0))
    assert made[0].document_id != made[1].document_id


def accrual_and_reversal() -> list[DocumentSet]:
    """An estimate of 70.00, of which Marketplace is due 20.00, and what takes it back."""
    accrued = document("acme-corp", "70.00", kind="ACCRUAL")
    taken_back = document(
        "acme-corp", "-70.00", kind="ACCRUAL_REVERSAL", replaces=accrued.document_id
    )
    return [
        documents(accrued, marketplace={(MONTH, "USD"): "20.00"}),
        documents(taken_back, marketplace={(MONTH, "USD"): "-20.00"}),
    ]


def test_an_accrual_and_its_reversal_are_documents_of_their_own_days() -> None:
    found = accrual_and_reversal()
    accrued, reversed_ = documents_of(one_journal([posted(each) for each in found]), 0)
    assert accrued.posting.posting_date == LAST_DAY
    assert reversed_.posting.posting_date == date(2026, 11, 1)
    assert booked(accrued.lines) == [("7001", "70.00"), ("6500", "-50.00"), ("6501", "-20.00")]
    assert booked(reversed_.lines) == [
        (line.account, f"{-line.amount:.2f}") for line in accrued.lines
    ]
    for each, words in ((accrued, "Accrual (estimate)"), (reversed_, "Reversal of accrual")):
        assert all(words in text for text in (each.text, *(line.text for line in each.lines)))
    original = found[0].documents[0].document_id
    assert reversed_.lines[0].original_id == original
    assert f"(reverses {original})" in reversed_.lines[0].text


def test_units_without_an_account_are_all_named() -> None:
    found = documents(
        document("acme-corp", "1.00"),
        document("globex", "1.00"),
        document(UNALLOCATED, "1.00"),
        document("silent", "0.00"),
    )
    listed = Accounts("accounts.csv", {"globex": Account("7002", {})})
    with pytest.raises(Problem) as caught:
        journal(found, SETTINGS, listed, LAST_DAY)
    assert not isinstance(caught.value, UsageProblem)
    assert "accounts.csv has no account for (unallocated), acme-corp." in str(caught.value)


def test_the_statements_cost_center_stands_where_the_list_has_none() -> None:
    told = document("acme-corp", "1.00").model_copy(update={"cost_center": "CC-9"})
    found = documents(told)
    for listed, expected in (({"cost_center": "CC-1"}, "CC-1"), ({"cost_center": ""}, "CC-9")):
        mine = Accounts("", {"acme-corp": Account("7001", listed)})
        line, _ = documents_of(journal(found, SETTINGS, mine, LAST_DAY), 0)[0].lines
        assert line.dimensions["cost_center"] == expected


def test_clearing_has_the_dimensions_that_the_list_gives_its_account() -> None:
    found = documents(document("acme-corp", "1.00"))
    mine = Accounts(
        "",
        {"acme-corp": Account("7001", {})},
        of_accounts={"6500": Account("6500", {"company": "01"})},
    )
    _, clearing = documents_of(journal(found, SETTINGS, mine, LAST_DAY), 0)[0].lines
    assert clearing.dimensions["company"] == "01"


@pytest.mark.parametrize(
    ("found", "settings_", "day", "said"),
    [
        (documents(document("a", "1.00")), JournalSettings(), LAST_DAY, "clearing_account in the"),
        (documents(document("a", "1.00")), SETTINGS, date(2026, 9, 30), "is before 2026-10"),
        (documents(document("a", "0.00")), SETTINGS, LAST_DAY, "nothing to post of 2026-10"),
        (
            documents(document("a", "1.00")).model_copy(update={"clearing": ()}),
            SETTINGS,
            LAST_DAY,
            "for 2026-10 and what sellers are due differ by 1.00 USD",
        ),
    ],
)
def test_what_cannot_be_posted_is_refused(
    found: DocumentSet, settings_: JournalSettings, day: date, said: str
) -> None:
    with pytest.raises(Problem, match=said):
        journal(found, settings_, accounts_for(found), day)


def test_what_is_due_to_sellers_in_another_currency_is_not_dropped() -> None:
    euros = documents(document("a", "1.00", currency="EUR")).clearing
    found = documents(document("a", "1.00"))
    both = found.model_copy(update={"clearing": (*found.clearing, *euros)})
    with pytest.raises(Problem, match=r"differ by -1\.00 EUR"):
        posted(both)


def test_a_limit_without_room_for_a_unit_is_refused() -> None:
    mine = (document(unit, "1.00") for unit in "abc")
    found = documents(*mine, marketplace={(MONTH, "USD"): "1.00"})
    with pytest.raises(Problem, match="at most 2 lines has no room"):
        documents_of(posted(found), 2)
