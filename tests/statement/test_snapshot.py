"""One small export, whole, as files that a person can read and a change shows in.

To renew them after a change that is meant: delete the files in tests/statement/snapshots and run
this test. It writes what is missing and fails once; then read the difference in Git.
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from chargeback import __version__
from chargeback.reports.answers import Answers
from chargeback.settings import Settings
from chargeback.workspace import Workspace
from tests.bills import MONTH, OTHER_PAYER, exported, line, whole, write_bill

SNAPSHOTS = Path(__file__).parent / "snapshots"
LINES = [
    line("10.005", tenant="acme", team="search", cost_center="cc-1", line_item_usage_amount=2.5),
    line("20.00", tenant="acme", cost_center="cc-2", day=4),
    line("-1.50", "EdpDiscount", tenant="acme", cost_center="cc-1"),
    line("0.333333333333", tenant="=1+1", line_item_resource_id="arn:aws:bedrock:::profile/a"),
    line("7.00", tenant="株式会社サクラ", cost_center="cc-1", line_item_usage_type="SomethingNew"),
    line("-2.00", "Credit", tenant="株式会社サクラ", cost_center="cc-1", day=1),
    line("-0.75", "Refund", invoice="INV-2", principal=None),
    line("3.21", "Tax", invoice="INV-2", principal=None, line_item_usage_amount=None),
    line("1.00", "Fee", invoice="INV-2", principal=None),
    line("5.00", net="4.40", tenant="acme", payer=OTHER_PAYER, invoice="INV-3"),
    line("0", invoice=None, principal=None, day=31),
]
"""Of one payer the discount is a line, of the other it is in the net cost."""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    folder = tmp_path_factory.mktemp("small")
    workspace = Workspace(
        Settings(cur=write_bill(folder / "cur", {MONTH: LINES}), store=folder / "store")
    )
    workspace.refresh()
    return workspace.answers()


def readable(file: Path, fingerprint: str) -> str:
    """Its text, without what changes with every edit of the program: version and fingerprint."""
    text = file.read_text("utf-8-sig").replace(fingerprint, "(fingerprint)")
    return text.replace(f'"program_version": "{__version__}"', '"program_version": "(version)"')


@pytest.mark.parametrize("kind", ["statement", "detail", "manifest"])
def test_an_export_is_the_one_that_was_read_over(
    kind: str, answers: Answers, tmp_path: Path
) -> None:
    file = getattr(exported(answers, whole(MONTH), "tenant", date(2026, 11, 23), tmp_path), kind)
    found = readable(file, answers.rules.fingerprint)
    snapshot = SNAPSHOTS / file.name
    if not snapshot.exists():
        snapshot.write_text(found, "utf-8")
        pytest.fail(f"{snapshot.name} was missing and is written now: read it, and keep it.")
    assert found.splitlines() == snapshot.read_text("utf-8").splitlines()


def test_the_snapshots_are_those_of_this_bill() -> None:
    """What stands in the files is what a person gets who adds up LINES."""
    manifest = json.loads((SNAPSHOTS / f"manifest-tenant-{MONTH}.json").read_text("utf-8"))
    (totals,) = manifest["totals"]
    billed = [
        Decimal(each.get("line_item_net_unblended_cost", each["line_item_unblended_cost"]) or 0)
        for each in LINES
    ]
    assert Decimal(totals["bill"]) == sum(billed)
    assert manifest["period_status"] == "INVOICED"
