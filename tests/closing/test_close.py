"""Closing a month: what it freezes, what stands in its way, and who may."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from threading import Barrier

import pytest

from chargeback.access.change import Actor, ChangeRefused
from chargeback.cli.main import main
from chargeback.closing.close import why_not_to_close
from chargeback.closing.frozen_facts import open_frozen
from chargeback.closing.sent import unit_files, write_frozen_export
from chargeback.errors import Problem, UsageProblem
from chargeback.ledger.chain import verify
from chargeback.ledger.change_lines import HEAD
from chargeback.statement.close_settings import CloseSettings
from chargeback.statement.export import write_export
from tests.bills import OTHER_PAYER, PAYER, WRITTEN, Line, line, write_bill
from tests.closing.conftest import AUGUST, BOB, OCTOBER, SEPTEMBER, Company, in_month, usual


def rows(company: Company, month: str, by: str, out: Path) -> dict[str, dict[str, str]]:
    """The statement file of a month, by unit."""
    statements = company.statements()
    closed = statements.book.find(month)
    if closed and by in closed.record.by:
        file = write_frozen_export(closed, by, out).statement
    else:
        file = write_export(statements.answers(month), statements.of(month, by), out).statement
    return {row["bill_to"]: row for row in csv.DictReader(file.read_text("utf-8-sig").splitlines())}


def frozen(company: Company, month: str, out: Path) -> dict[str, bytes]:
    """Every file that a closed month is sent out as."""
    closed = company.statements().book.require(month)
    found: dict[str, bytes] = {}
    for by in closed.record.by:
        files = write_frozen_export(closed, by, out / by)
        found |= {f"{by}/{file.name}": file.read_bytes() for file in files.all}
        found |= unit_files(closed, by, "acme" if by == "tenant" else "CC1")
    return found


def test_a_closed_month_is_charged_by_documents(company: Company, tmp_path: Path) -> None:
    before = rows(company, AUGUST, "tenant", tmp_path)
    assert set(before["acme"]) & {"document_id"} == set()
    company.close(AUGUST)
    after = rows(company, AUGUST, "tenant", tmp_path)
    for unit, row in before.items():
        charged = {
            name: row[name] for name in row if name not in ("schema_version", "period_status")
        }
        assert {name: after[unit][name] for name in charged} == charged
        assert (after[unit]["schema_version"], after[unit]["period_status"]) == ("2", "CLOSED")
        assert after[unit]["document_type"] == "CHARGE"
        assert after[unit]["amount_due"] == row["total_charge"]
    ids = {row["document_id"] for row in after.values()}
    ids |= {row["document_id"] for row in rows(company, AUGUST, "cost_center", tmp_path).values()}
    assert len(ids) == 6
    assert all(len(each) == 20 for each in ids)


def test_nothing_changes_a_closed_months_bytes(
    company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.close(AUGUST)
    before = frozen(company, AUGUST, tmp_path / "before")
    company.deliver({AUGUST: [*usual(), line("-5.00", "Credit", tenant="acme")]})
    company.settings.attribution.tenant[:] = ["iamPrincipal/team"]
    monkeypatch.setattr("chargeback.statement.build.COLUMNS", ("other",))
    assert frozen(company, AUGUST, tmp_path / "after") == before
    shutil.rmtree(company.folder / "store")
    shutil.rmtree(company.folder / "cur")
    assert frozen(company, AUGUST, tmp_path / "gone") == before


def test_another_kind_of_unit_is_worked_out_from_what_was_frozen(
    company: Company, tmp_path: Path
) -> None:
    company.close(AUGUST)
    company.deliver({AUGUST: [line("1000", account="222233334444")]})
    shutil.rmtree(company.folder / "store")
    row = rows(company, AUGUST, "account", tmp_path)["111122223333"]
    # What `usual` comes to: all its lines are of one account.
    total = sum((Decimal(each["line_item_unblended_cost"]) for each in usual()), Decimal())
    assert Decimal(row["total_charge"]) == total.quantize(Decimal("0.01"))
    manifest = json.loads((tmp_path / f"manifest-account-{AUGUST}.json").read_text("utf-8"))
    assert (manifest["period_status"], manifest["derived_after_close"]) == ("CLOSED", True)


@pytest.mark.parametrize(
    ("closed", "month", "why"),
    [
        ((), "2026-12", "no billing period 2026-12"),
        ((AUGUST,), AUGUST, "closed already"),
        ((AUGUST,), OCTOBER, "2026-09 comes first"),
        ((SEPTEMBER,), AUGUST, "a month before it can't be closed"),
    ],
)
def test_months_are_closed_in_order_and_once(
    company: Company, closed: tuple[str, ...], month: str, why: str
) -> None:
    for each in closed:
        company.close(each)
    with pytest.raises(UsageProblem, match=why):
        company.close(month)


def test_a_month_that_is_not_over_is_not_closed(company: Company) -> None:
    company.deliver({"2026-12": usual()})
    statements = company.statements()
    assert why_not_to_close(statements, "2026-12") == "2026-12 is not over."
    assert why_not_to_close(statements, OCTOBER) == ""


def test_what_blocks_is_named_and_overridden_by_name(company: Company, tmp_path: Path) -> None:
    # The payer's usage falls: the delivery is not taken.
    company.deliver({AUGUST: [line("5", tenant="acme", cost_center="CC1")]})
    with pytest.raises(Problem, match="delivery-smaller: A newer delivery holds less"):
        company.close(AUGUST)
    assert not company.statements().book.entries
    with pytest.raises(UsageProblem, match="nothing of that name"):
        company.close(AUGUST, despite=["delivery-smaler"])
    company.close(AUGUST, note="AWS is asked", despite=["delivery-smaller"])
    closed = company.statements().book.require(AUGUST)
    (despite,) = closed.record.despite
    assert despite.code == "delivery-smaller"
    document = unit_files(closed, "tenant", "acme")[f"statement-tenant-{AUGUST}-001-acme.html"]
    assert b"Closed despite: A newer delivery holds less" in document
    assert b"ann: AWS is asked" in document


def test_too_much_that_nobody_pays_blocks(new_company: Callable[..., Company]) -> None:
    company = new_company(close={"unallocated_limit": "0.05"})
    # Of the bill of `usual`, 7.77 and the tax of 20.01 name no tenant.
    with pytest.raises(Problem, match=r"unallocated-limit: \$27.78 \(13\.3.%\)"):
        company.close(AUGUST)
    company.close(AUGUST, despite=["unallocated-limit"])


def test_what_could_not_be_reconciled_is_said_and_blocks_nothing(company: Company) -> None:
    company.close(AUGUST)
    said = company.statements().book.require(AUGUST).record.said
    assert [each.partition(": ")[::2] for each in said] == [
        ("Not, or not fully, reconciled", "No AWS credentials were found."),
        ("Not all invoices' PDFs are part of the close", "No AWS credentials were found."),
    ]


def test_a_ledger_is_of_one_bill(company: Company, new_company: Callable[..., Company]) -> None:
    company.close(AUGUST)
    other = new_company()
    other.settings.ledger = company.settings.ledger
    other.deliver({month: [line("1", payer=OTHER_PAYER)] for month in (AUGUST, SEPTEMBER)})
    shutil.rmtree(other.folder / "store")
    shutil.rmtree(other.folder / "cur" / "bill" / "data" / f"BILLING_PERIOD={OCTOBER}")
    other.workspace.refresh()
    with pytest.raises(UsageProblem, match=f"{PAYER}, but the bill is of {OTHER_PAYER}"):
        other.close(SEPTEMBER)


def test_who_may_not_change_figures_closes_nothing(company: Company) -> None:
    visitor = Actor("", kind="visitor")
    with pytest.raises(ChangeRefused):
        company.close(AUGUST, visitor)
    assert not company.statements().book.entries
    (refusal,) = company.workspace.ledger.changes()
    assert refusal["what"] == f"refused: close {AUGUST}"


def test_two_people(new_company: Callable[..., Company]) -> None:
    company = new_company(close={"two_people": True})
    company.workspace.ledger.record(
        who="ann as boss", what="changed the owner list owners.csv", before=None, after=None
    )
    with pytest.raises(ChangeRefused, match="changed what decides"):
        company.close(AUGUST, Actor("ann", "somebody else"))
    company.close(AUGUST, BOB)


def test_a_note_is_asked_for(company: Company) -> None:
    with pytest.raises(UsageProblem, match="with a note"):
        company.close(AUGUST, note="  ")


def test_a_frozen_file_that_was_changed_is_not_handed_out(company: Company, tmp_path: Path) -> None:
    company.close(AUGUST)
    closed = company.statements().book.require(AUGUST)
    file = (
        company.folder
        / "ledger"
        / closed.entry.folder
        / "tenant"
        / f"chargeback-tenant-{AUGUST}.csv"
    )
    file.write_bytes(file.read_bytes().replace(b"131.51", b"131.50"))
    with pytest.raises(Problem, match="is not what was frozen"):
        write_frozen_export(closed, "tenant", tmp_path)
    assert not list(tmp_path.glob("*.csv"))
    file.unlink()
    with pytest.raises(Problem, match="is not what was frozen"):
        write_frozen_export(closed, "tenant", tmp_path)


def test_many_may_copy_what_was_frozen_at_once(company: Company) -> None:
    company.close(AUGUST)
    closed, store = company.statements().book.require(AUGUST), company.folder / "store"
    together = Barrier(4)

    def bill(_: int) -> dict[str, Decimal]:
        together.wait()
        return open_frozen(closed, store).answers.bill(AUGUST).totals

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(bill, range(4)))
    assert found == [closed.record.bill] * 4
    assert len(list((store / "closed").iterdir())) == 1


def test_verify_tells_of_every_file(company: Company, tmp_path: Path) -> None:
    for month in (AUGUST, SEPTEMBER, OCTOBER):
        company.close(month)
    ledger = company.folder / "ledger"
    files = sorted(
        path for path in ledger.rglob("*") if path.is_file() and path.name != "changes.lock"
    )
    assert verify(company.workspace.ledger) is None
    for number, file in enumerate(files):
        copy = shutil.copytree(ledger, tmp_path / f"copy-{number}")
        other = Company(tmp_path / "other")
        other.settings.ledger = copy
        mine = other.workspace.ledger
        assert verify(mine) is None
        assert mine.verify_changes() is None
        changed = copy / file.relative_to(ledger)
        changed.write_bytes(changed.read_bytes() + b"x")
        assert verify(mine) or mine.verify_changes(), f"{file} was changed"
        changed.unlink()
        is_told = bool(verify(mine) or mine.verify_changes())
        assert is_told == (file.name != HEAD), f"{file} is gone"


def test_revisions(company: Company, tmp_path: Path) -> None:
    company.close(AUGUST)
    company.close(SEPTEMBER)
    with pytest.raises(UsageProblem, match="Only the newest closed month, 2026-09"):
        company.reopen(AUGUST)
    first = rows(company, SEPTEMBER, "tenant", tmp_path)
    company.reopen(SEPTEMBER)
    open_ = rows(company, SEPTEMBER, "tenant", tmp_path)
    assert {row["document_id"] for row in open_.values()} == {""}
    company.close(SEPTEMBER)
    second = rows(company, SEPTEMBER, "tenant", tmp_path)
    for unit, row in second.items():
        assert row["original_document_id"] == first[unit]["document_id"]
        assert row["document_id"] != first[unit]["document_id"]
    assert [entry.kind for entry in company.statements().book.entries] == [
        "close",
        "close",
        "reopen",
        "close",
    ]
    assert verify(company.workspace.ledger) is None


def test_what_was_corrected_is_taken_back_with_the_bill(company: Company, tmp_path: Path) -> None:
    company.close(AUGUST)
    company.deliver({AUGUST: [*usual(), line("-5.00", "Credit", tenant="acme")]})
    company.close(SEPTEMBER)
    company.deliver({AUGUST: usual()})
    adjustments = [
        rows(company, month, "tenant", tmp_path)["acme"]["adjustment_amount"]
        for month in (SEPTEMBER, OCTOBER)
    ]
    assert adjustments == ["-5.00", "5.00"]


def test_units_that_read_as_numbers_stay_names(tmp_path: Path) -> None:
    company = Company(tmp_path / "own")
    named = [line("10", tenant="1e5", cost_center="1000"), line("20", tenant="-5")]
    company.deliver(dict.fromkeys((AUGUST, SEPTEMBER), named))
    company.close(AUGUST)
    company.deliver({AUGUST: [*named, line("1", tenant="1e5", cost_center="1000")]})
    for _ in range(2):  # worked out, then read from what was kept
        assert rows(company, SEPTEMBER, "tenant", tmp_path)["1e5"]["adjustment_amount"] == "1.00"


def backfilled() -> list[Line]:
    """The lines of `usual`, but that nobody's 7.77 are acme's now."""
    tagged = {"tags": {"iamPrincipal/tenant": "acme"}}
    nobodys = Decimal("7.77")
    return [
        each | (tagged if each["line_item_unblended_cost"] == nobodys else {}) for each in usual()
    ]


def test_who_pays_stays_as_posted_while_tags_have_fallen_away(
    company: Company, tmp_path: Path
) -> None:
    company.close(AUGUST)
    company.deliver({AUGUST: backfilled()})
    company.close(SEPTEMBER)
    # Without tags: the delivery is not taken, and the backfill stays in force.
    company.deliver({AUGUST: [{**each, "tags": {}} for each in usual()]})
    adjustments = {
        month: {
            unit: row["adjustment_amount"]
            for unit, row in rows(company, month, "tenant", tmp_path).items()
        }
        for month in (SEPTEMBER, OCTOBER)
    }
    assert adjustments == {
        SEPTEMBER: {"acme": "7.77", "globex": "0.00", "(unallocated)": "-7.77"},
        OCTOBER: {"acme": "0.00", "globex": "0.00", "(unallocated)": "0.00"},
    }


def test_what_a_close_no_longer_posts_is_said(company: Company) -> None:
    company.close(AUGUST)
    company.deliver({AUGUST: [*usual(), line("1.00", tenant="acme")]})
    company.settings.close = CloseSettings(by=("cost_center",))
    company.close(SEPTEMBER)
    said = company.statements().book.require(SEPTEMBER).record.said
    assert any("What has changed in 2026-08 by tenant is not posted" in each for each in said)


def test_the_command_compares_all_closed_months_before_it_closes(
    company: Company, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("cur", "store", "ledger"):
        monkeypatch.setenv(f"CHARGEBACK_{name.upper()}", str(company.folder / name))
    shutil.rmtree(company.folder / "store")
    assert main(["close", "--month", AUGUST, "--note", "x"]) == 0
    assert main(["close", "--month", OCTOBER, "--note", "x"]) == 2
    late = [in_month(AUGUST, each) for each in (*usual(), line("12.00", tenant="acme"))]
    write_bill(company.folder / "cur", {AUGUST: late}, WRITTEN + timedelta(days=1))
    assert main(["close", "--month", SEPTEMBER, "--note", "x"]) == 0
    assert rows(company, SEPTEMBER, "tenant", tmp_path)["acme"]["adjustment_amount"] == "12.00"


def test_a_unit_that_only_a_correction_concerns_has_a_document(
    company: Company, tmp_path: Path
) -> None:
    company.close(AUGUST)
    company.deliver({AUGUST: [*usual(), line("4.00", tenant="late", cost_center="CC9")]})
    for by, unit, center in (("tenant", "late", ""), ("cost_center", "CC9", "CC9")):
        row = rows(company, SEPTEMBER, by, tmp_path)[unit]
        assert (row["document_type"], row["cost_center"]) == ("ADJUSTMENT", center)
        assert (row["total_charge"], row["amount_due"]) == ("0.00", "4.00")
