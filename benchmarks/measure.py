"""Time and memory of one piece of work in a process of its own, and a table of what was found."""

from __future__ import annotations

import argparse
import gc
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

KIB_PER_GIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Measured(Generic[T_co]):
    """What a piece of work took, and what it answered."""

    seconds: float
    """Without starting Python and importing what it needs."""
    cpu_seconds: float
    """Of all cores: what other work on the machine disturbs least."""
    peak_gib: float
    """Most memory that its process ever held, Python and libraries included."""
    answer: T_co


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table of what this product promises."""

    what: str
    took: str
    """With its unit: '1.1 s, 0.4 GiB'."""
    baseline: str
    """What stood beside it in the same run, and took how long: 'bare DuckDB 0.9 s'."""
    ratio: float | None
    """Of the two; None where nothing can stand beside it."""
    aim: str
    is_met: bool


def measured(work: Callable[..., T], *args: object) -> Measured[T]:
    """Runs `work`, a function of a module, in a new process that does nothing else."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_measure, work, *args).result()


def _measure(work: Callable[..., T], *args: object) -> Measured[T]:
    # DuckDB takes a process that runs no script for a notebook, and draws progress bars.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    cpu = time.process_time()
    seconds, answer = timed(work, *args)
    cpu = time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB on Linux
    return Measured(seconds, cpu, peak / KIB_PER_GIB, answer)


def timed(work: Callable[..., T], *args: object) -> tuple[float, T]:
    """The seconds that `work` takes in this process, and its answer."""
    gc.collect()
    start = time.perf_counter()
    answer = work(*args)
    return time.perf_counter() - start, answer


def show(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a Markdown table; all columns but the first are numbers."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    rules = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    print(f"\n{title}\n")
    for row in (headings, rules, *rows):
        cells = [row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]
        print(f"| {' | '.join(cells)} |", flush=True)


def show_rows(title: str, rows: Iterable[Row]) -> None:
    """Prints rows of the table of what this product promises."""
    cells = [
        [
            *(each.what, each.took, each.baseline),
            "" if each.ratio is None else f"{each.ratio:.2f}",
            *(each.aim, "yes" if each.is_met else "**no**"),
        ]
        for each in rows
    ]
    show(title, ["what", "took", "beside it", "ratio", "aim", "met"], cells)


def arguments(description: str | None) -> argparse.ArgumentParser:
    """A parser with the option that all benchmarks have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--folder",
        type=Path,
        help="where bills and stores are written and found again; default: a temporary folder",
    )
    return parser


@contextmanager
def scratch(folder: Path | None) -> Iterator[Path]:
    """The folder, made if need be; a temporary one if there is none."""
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder.resolve()
    else:
        with tempfile.TemporaryDirectory(prefix="chargeback-benchmark-") as temporary:
            yield Path(temporary)
