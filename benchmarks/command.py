"""The command line, each command a process of its own, from its start to its end.

    python -m benchmarks --only command

Beside `--help` stands Python that does nothing; beside `export` Python that imports DuckDB and has
it copy the same rows of the month into a CSV file.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.measure import Row, measured, timed
from benchmarks.stores import DEMO_ON
from chargeback.demo import write_demo
from chargeback.enrichment.local import enrich
from chargeback.settings import Settings
from chargeback.workspace import Workspace

ROOT = Path(__file__).parent.parent
MONTH, LINES = f"{DEMO_ON:%Y-%m}", 100_000
ROUNDS = 7
HELP_SECONDS, EXPORT_SECONDS = 0.3, 1.2

Work = Callable[[], None]

COPY = """
import sys
import duckdb
duckdb.execute("COPY (FROM read_parquet($rows)) TO $out", {"rows": sys.argv[1], "out": sys.argv[2]})
"""


def rows(folder: Path) -> Iterator[Row]:
    """A row for each command."""
    yield _row(
        "python -m chargeback --help",
        partial(_run, "-m", "chargeback", "--help"),
        ("Python that does nothing", partial(_run, "-c", "pass")),
        HELP_SECONDS,
    )
    place = folder / "command"
    daily = measured(prepare, place).answer
    export = ("export", "--month", MONTH, "--by", "tenant", "--out", str(place / "out"))
    yield _row(
        f"export of a month of {LINES:,} lines",
        partial(_run, "-m", "chargeback", *export, place=place),
        ("bare DuckDB", partial(_run, "-c", COPY, str(daily), str(place / "bare.csv"))),
        EXPORT_SECONDS,
    )


def prepare(place: Path) -> Path:
    """Reads the bill, and works out what it means; the rows of its newest month."""
    settings = Settings(cur=place / "cur", store=place / "store", athena=None)
    if not (place / "cur").exists():
        write_demo(place / "cur", today=DEMO_ON, lines=LINES)
    workspace = Workspace(settings)
    workspace.refresh()
    periods = workspace.store.periods(workspace.source.source_id)
    newest, *_ = [enrich(period, workspace.rules) for period in periods]
    return newest.daily


def _run(*arguments: str, place: Path | None = None) -> None:
    """Python with some arguments, as it is where a bill lies."""
    ours = {name: text for name, text in os.environ.items() if "CHARGEBACK" not in name}
    if place:
        found = {"CUR": place / "cur", "STORE": place / "store", "LEDGER": place / "ledger"}
        ours |= {f"CHARGEBACK_{name}": str(path) for name, path in found.items()}
    subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=ours, check=True, capture_output=True
    )


def _row(what: str, work: Work, beside: tuple[str, Work], aim: float) -> Row:
    """Medians of rounds in which both run in turns; the first, not counted, fills caches."""
    name, bare = beside
    rounds = [(timed(work)[0], timed(bare)[0]) for _ in range(ROUNDS + 1)][1:]
    took = median(ours for ours, _ in rounds)
    return Row(
        what,
        f"{took:.2f} s",
        f"{name} {median(theirs for _, theirs in rounds):.2f} s",
        median(ours / theirs for ours, theirs in rounds),
        f"{aim} s",
        took <= aim,
    )
