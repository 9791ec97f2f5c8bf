"""DuckDB's databases, each within what the machine, or the container, has for all of them.

Left to itself, DuckDB takes for each of them four fifths of the memory that the innermost control
group allows, and looks at no group around it. A server has several open at once.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from math import ceil
from pathlib import Path, PurePosixPath

import duckdb

OF_PYTHON = 512 * 1024**2
"""Bytes that Python and its libraries take beside DuckDB: 400 MiB in a server of one year."""
AT_ONCE = 2
"""Databases that may be full at the same time: the one that reads a bill, as one is read at a time,
and the one that answers. All others hold a month's sums, or rows on their way to a file."""
LEAST_MEMORY = 256 * 1024**2
"""Bytes: with less, DuckDB can't sum a month even with what it puts on disk."""
SHARE = re.compile(r"(?P<quota>\d+) (?P<period>[1-9]\d*)")
"""Of CPUs: microseconds that may be used in each period of so many."""


def connect(file: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A database in memory, or in `file`, that leaves room for the others. Close it.

    Raises:
        duckdb.Error: the file can't be written.
    """
    connection = duckdb.connect(
        str(file or ":memory:"), config={"memory_limit": f"{memory()}B", "threads": threads()}
    )
    # DuckDB's own choice, `.tmp` where the program runs, may not be written, and two share it.
    name = f"chargeback-overflow-{uuid.uuid4().hex[:12]}"
    overflow_to(connection, (file.parent if file else Path(tempfile.gettempdir())) / name)
    return connection


def overflow_to(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Where a database puts what doesn't fit into memory: at most half of what is free there.

    DuckDB makes the folder when it needs it, and removes it.
    """
    free = shutil.disk_usage(folder.parent).free
    connection.execute("SET temp_directory = $folder", {"folder": str(folder)})
    connection.execute("SET max_temp_directory_size = $size", {"size": f"{free // AT_ONCE}B"})


def memory(root: Path = Path("/")) -> int:
    """Bytes that one database may hold.

    Args:
        root: of the file system that says what the process may use.
    """
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    told = [*_told(root, "memory", "memory.max"), *_told(root, "memory", "memory.limit_in_bytes")]
    there = min([machine, *(int(limit) for limit in told if limit.isdigit())])
    return max((there - OF_PYTHON) // AT_ONCE, LEAST_MEMORY)


def threads(root: Path = Path("/")) -> int:
    """How many threads one database may have: a part of a CPU counts as one.

    Args:
        root: of the file system that says what the process may use.
    """
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quotas, periods = (_told(root, "cpu", f"cpu.cfs_{name}_us") for name in ("quota", "period"))
    shares = [*_told(root, "cpu", "cpu.max"), *map(" ".join, zip(quotas, periods, strict=True))]
    given = [SHARE.fullmatch(share) for share in shares]
    told = [ceil(int(share["quota"]) / int(share["period"])) for share in given if share]
    return max(1, min([here or 1, *told]))


def _told(root: Path, controller: str, file: str) -> Iterator[str]:
    """What a file says in the process's control group and in each around it; '' if it isn't there.

    Within a container the groups may be named as outside of it, while the outermost that is to be
    seen is its own.
    """
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        top = root / "sys/fs/cgroup" / (controller if controllers else "")
        inner = PurePosixPath(path.lstrip("/"))
        for group in (inner, *inner.parents):
            yield _text(top / group / file)


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8").strip()
    except OSError:
        return ""
