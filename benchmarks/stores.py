"""The two bills that reports and pages are measured on, read into a store the product's own way."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from benchmarks.bill import write_month
from chargeback.billing_period import months_until
from chargeback.demo import write_demo
from chargeback.settings import Settings
from chargeback.workspace import Workspace

YEAR = [*(f"2025-{month:02d}" for month in (11, 12)), *(f"2026-{m:02d}" for m in range(1, 11))]
MONTH_MILLIONS = 5
THREE_YEARS = months_until(YEAR[-1], 36)
PRINCIPALS, TENANTS = 20_000, 2_000
PRINCIPALS_MILLIONS = 0.1
DEMO_ON = date(2026, 11, 23)


def year(folder: Path) -> Workspace:
    """Twelve months of 5 million lines, 700,000 rows of the store each."""
    workspace = _workspace(folder / "year")
    for month in YEAR:
        if not list(folder.glob(f"year/cur/*/data/BILLING_PERIOD={month}/*-taxes.*")):
            write_month(folder / "year" / "cur", month, MONTH_MILLIONS)
    workspace.refresh()
    return workspace


def three_years(folder: Path) -> Workspace:
    """36 months to October 2026, each of 20,000 principals that work for 2,000 tenants."""
    workspace = _workspace(folder / "three-years")
    write_three_years(folder)
    workspace.refresh()
    return workspace


def write_three_years(folder: Path) -> None:
    """Their bill."""
    many = {"callers": PRINCIPALS, "roles": PRINCIPALS, "tenants": TENANTS}
    for month in THREE_YEARS:
        if not list(folder.glob(f"three-years/cur/*/data/BILLING_PERIOD={month}/*-taxes.*")):
            write_month(folder / "three-years" / "cur", month, PRINCIPALS_MILLIONS, **many)


def demo(folder: Path) -> Workspace:
    """The demo bill: fourteen months, 60,000 lines in the newest."""
    workspace = _workspace(folder / "demo")
    if not list(folder.glob(f"demo/cur/*/data/BILLING_PERIOD={DEMO_ON:%Y-%m}")):
        write_demo(folder / "demo" / "cur", today=DEMO_ON)
    workspace.refresh()
    return workspace


def _workspace(folder: Path) -> Workspace:
    return Workspace(Settings(cur=folder / "cur", store=folder / "store", athena=None))
