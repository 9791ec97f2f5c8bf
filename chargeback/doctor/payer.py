"""Check of the credentials' account against the accounts that pay the bill."""

from __future__ import annotations

from collections.abc import Sequence

from chargeback.doctor.check import REFRESH, TAGS_PAGE, Check
from chargeback.errors import SourceProblem

NAME = "Payer account"
NOT_TOLD = (
    "Whether Cost Explorer and invoices cover the whole bill, and whether these credentials can "
    "activate cost allocation tags, can't be told."
)


def check_payer(caller: str | SourceProblem, payers: Sequence[str]) -> Check:
    """Whether the account that AWS is asked with pays the bill.

    A member account sees only its own costs in Cost Explorer (Cost Management User Guide,
    "Controlling access to Cost Explorer"). Cost allocation tags are the management account's
    (Billing User Guide, "Using user-defined cost allocation tags"): AWS refuses others the list.

    Args:
        caller: the credentials' account, or why it is not known.
        payers: the accounts that the bill names as its payers, in order; none if not known.
    """
    if isinstance(caller, SourceProblem):
        return _without_caller(caller, payers)
    if not payers:
        found = f"the credentials are of account {caller}; who pays the bill is not known"
        todo = "Read the bill: its column bill_payer_account_id says who pays."
        return Check(NAME, "unknown", found, NOT_TOLD, todo, REFRESH)
    others = [payer for payer in payers if payer != caller]
    if not others:
        return Check(NAME, "ok", f"the credentials are of {caller}, which pays the bill")
    return _one_of_several(caller, others) if caller in payers else _not_a_payer(caller, others)


def _without_caller(problem: SourceProblem, payers: Sequence[str]) -> Check:
    pays = f"paid by {_listed(payers)}" if payers else "who pays the bill is not known"
    found = f"{pays}; the credentials' account is not known: {problem.what}"
    return Check(NAME, "unknown", found, NOT_TOLD, problem.todo)


def _not_a_payer(caller: str, payers: Sequence[str]) -> Check:
    return Check(
        NAME,
        "warning",
        f"the credentials are of {caller}, but the bill is paid by {_listed(payers)}",
        f"Cost Explorer shows {caller} only its own costs, so the reconciliation shows all other "
        "accounts of the bill as a difference. Invoices and the list of cost allocation tags are "
        "for the payer only, whatever these credentials are allowed to do.",
        f"To reconcile the whole bill, use credentials of {_listed(payers)}. Have tags activated "
        f"there: {TAGS_PAGE}.",
    )


def _one_of_several(caller: str, others: Sequence[str]) -> Check:
    return Check(
        NAME,
        "warning",
        f"the credentials are of {caller}; the bill is also paid by {_listed(others)}",
        f"Cost Explorer and invoices cover what {caller} pays, so the reconciliation shows the "
        f"rest of the bill as a difference. Tags that are active in {caller} may not be active "
        "elsewhere.",
        f"Reconcile each payer's bill with its own credentials. Have tags activated in "
        f"{_listed(others)} too: {TAGS_PAGE}.",
    )


def _listed(accounts: Sequence[str]) -> str:
    return " and ".join(accounts)
