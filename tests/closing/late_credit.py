"""A small bill of two months, and a credit that comes for the first after it was closed."""

from __future__ import annotations

from pathlib import Path

from tests.bills import line
from tests.closing.conftest import OCTOBER, SEPTEMBER, Company

LINES = {
    SEPTEMBER: [
        line("100", tenant="acme", cost_center="CC-1"),
        line("50", tenant="globex", cost_center="CC-2"),
        line("10"),
    ],
    OCTOBER: [
        line("120", tenant="acme", cost_center="CC-1"),
        line("60", tenant="globex", cost_center="CC-2"),
    ],
}
"""September comes to 160.00, of which 10.00 names nobody; October to 180.00."""
CREDIT = line("-5", "Credit", tenant="acme", cost_center="CC-1")


def small_company(folder: Path) -> Company:
    """Both months as they are at first."""
    company = Company(folder)
    company.deliver(LINES)
    return company


def deliver_credit(company: Company) -> None:
    """A later delivery of September has the credit."""
    company.deliver({SEPTEMBER: [*LINES[SEPTEMBER], CREDIT]})
