"""Checks that find the same are told once."""

from __future__ import annotations

from dataclasses import replace

from chargeback.doctor.check import Check, together

COSTS = Check("Cost Explorer", "unknown", "No AWS credentials were found.", todo="Sign in.")


def test_one_finding_of_several_checks_stands_once_under_all_their_names() -> None:
    fine = Check("Bill", "ok", "14 billing periods")
    found = together([fine, COSTS, replace(COSTS, name="Invoices")])
    assert found == [fine, replace(COSTS, name="Cost Explorer, Invoices")]


def test_many_names_are_counted() -> None:
    (found,) = together(replace(COSTS, name=month) for month in ("May", "April", "March", "May"))
    assert found.name == "May, April, March"
    (found,) = together(replace(COSTS, name=month) for month in ("May", "April", "March", "June"))
    assert found.name == "May and 3 more"


def test_what_differs_in_its_fix_stands_apart() -> None:
    checks = [COSTS, replace(COSTS, todo="Ask whoever pays.")]
    assert together(checks) == checks
