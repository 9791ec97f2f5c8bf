"""The credentials' account against the bill's payers: every case is told, and in full."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeback.doctor import payer
from chargeback.errors import SourceProblem

MEMBER, PAYER, OTHER = "111122223333", "444455556666", "777788889999"
NOT_KNOWN = SourceProblem("No AWS credentials were found.", todo="Give the program credentials.")


@pytest.mark.parametrize(
    ("caller", "payers", "state", "found"),
    [
        (PAYER, [PAYER], "ok", f"the credentials are of {PAYER}, which pays the bill"),
        (
            MEMBER,
            [PAYER, OTHER],
            "warning",
            f"the credentials are of {MEMBER}, but the bill is paid by {PAYER} and {OTHER}",
        ),
        (
            PAYER,
            [PAYER, OTHER],
            "warning",
            f"the credentials are of {PAYER}; the bill is also paid by {OTHER}",
        ),
        (
            PAYER,
            [],
            "unknown",
            f"the credentials are of account {PAYER}; who pays the bill is not known",
        ),
        (
            NOT_KNOWN,
            [PAYER],
            "unknown",
            f"paid by {PAYER}; the credentials' account is not known: "
            "No AWS credentials were found.",
        ),
        (
            NOT_KNOWN,
            [],
            "unknown",
            "who pays the bill is not known; the credentials' account is not known: "
            "No AWS credentials were found.",
        ),
    ],
)
def test_each_case_has_its_words(
    caller: str | SourceProblem, payers: list[str], state: str, found: str
) -> None:
    check = payer.check_payer(caller, payers)
    assert (check.name, check.state, check.found) == ("Payer account", state, found)


ACCOUNTS = st.sampled_from([MEMBER, PAYER, OTHER])


@given(ACCOUNTS, st.lists(ACCOUNTS, unique=True))
def test_in_order_is_only_the_one_payer_and_all_else_says_what_to_do(
    caller: str, payers: list[str]
) -> None:
    check = payer.check_payer(caller, payers)
    assert (check.state == "ok") == (payers == [caller])
    assert bool(check.means and check.todo) == (check.state != "ok")
    assert all(each in check.found for each in (caller, *payers))
    assert ("reconcil" in check.means) == (check.state == "warning")
