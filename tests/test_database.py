"""What DuckDB may take: trees of files as the kernel shows them, and real databases."""

from __future__ import annotations

import os
import re
from pathlib import Path

import duckdb
import pytest

from chargeback import database

MIB = 1024**2
GIB = 1024**3
MACHINE = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
UNLIMITED_V1 = "9223372036854771712"
ROOT = Path(__file__).parent.parent


def system(root: Path, groups: str, **files: str) -> Path:
    """A tree that says `groups` of the process; files by path below /sys/fs/cgroup."""
    for name, text in {"proc/self/cgroup": groups, **_below(files)}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{text}\n")
    return root


def _below(files: dict[str, str]) -> dict[str, str]:
    return {f"sys/fs/cgroup/{name}": text for name, text in files.items()}


@pytest.mark.parametrize(
    ("groups", "files"),
    [
        ("0::/", {"memory.max": f"{GIB}"}),
        ("0::/app", {"app/memory.max": f"{GIB}"}),
        ("0::/app/job", {"app/job/memory.max": f"{8 * GIB}", "app/memory.max": f"{GIB}"}),
        ("0::/app", {"app/memory.max": "max", "memory.max": f"{GIB}"}),
        # A container's own group, named as the machine names it.
        ("0::/docker/0123", {"memory.max": f"{GIB}"}),
        ("4:memory:/app", {"memory/app/memory.limit_in_bytes": f"{GIB}"}),
        (
            "5:cpu,cpuacct:/\n4:memory:/docker/0123\n0::/",
            {"memory/memory.limit_in_bytes": f"{GIB}"},
        ),
    ],
)
def test_a_database_may_hold_half_of_what_a_group_leaves_beside_python(
    tmp_path: Path, groups: str, files: dict[str, str]
) -> None:
    assert database.memory(system(tmp_path, groups, **files)) == (GIB - 512 * MIB) // 2


@pytest.mark.parametrize(
    ("groups", "files"),
    [
        ("0::/", {}),
        ("0::/", {"memory.max": "max"}),
        ("4:memory:/", {"memory/memory.limit_in_bytes": UNLIMITED_V1}),
        # Another group's limit, and another controller's.
        ("0::/app", {"other/memory.max": f"{GIB}"}),
        ("4:memory:/app\n3:cpu:/job", {"memory/job/memory.limit_in_bytes": f"{GIB}"}),
    ],
)
def test_without_a_limit_it_is_half_of_the_machine(
    tmp_path: Path, groups: str, files: dict[str, str]
) -> None:
    assert database.memory(system(tmp_path, groups, **files)) == (MACHINE - 512 * MIB) // 2


def test_where_no_groups_are_told_the_machine_counts(tmp_path: Path) -> None:
    assert database.memory(tmp_path) == (MACHINE - 512 * MIB) // 2
    assert database.threads(tmp_path) == len(os.sched_getaffinity(0))


def test_a_database_has_room_to_sum_in_the_smallest_container(tmp_path: Path) -> None:
    small = system(tmp_path, "0::/", **{"memory.max": f"{300 * MIB}"})
    assert database.memory(small) == 256 * MIB


@pytest.mark.parametrize(
    ("groups", "files", "threads"),
    [
        ("0::/app", {"app/cpu.max": "50000 100000"}, 1),
        ("0::/app/job", {"app/job/cpu.max": "max 100000", "app/cpu.max": "100000 100000"}, 1),
        ("0::/", {"cpu.max": "150000 100000"}, 2),
        ("0::/", {"cpu.max": "6400000 100000"}, 2),
        (
            "1:cpu,cpuacct:/app",
            {"cpu/app/cpu.cfs_quota_us": "50000", "cpu/app/cpu.cfs_period_us": "100000"},
            1,
        ),
        ("1:cpu:/", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 2),
    ],
)
def test_a_part_of_a_cpu_is_a_thread_and_no_more_than_the_process_may_use(
    tmp_path: Path, groups: str, files: dict[str, str], threads: int
) -> None:
    here = len(os.sched_getaffinity(0))
    assert database.threads(system(tmp_path, groups, **files)) == min(threads, here)


def test_a_database_has_these_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    # Fewer than any machine has: DuckDB's own figures would be others.
    monkeypatch.setattr(database, "threads", lambda: 1)
    monkeypatch.setattr(database, "memory", lambda: GIB)
    with database.connect() as connection:
        assert _bytes(_setting(connection, "memory_limit")) == GIB
        assert _setting(connection, "threads") == "1"


def test_no_two_databases_share_a_place_for_what_does_not_fit(tmp_path: Path) -> None:
    with database.connect() as one, database.connect() as other:
        assert _setting(one, "temp_directory") != _setting(other, "temp_directory")
    with database.connect(tmp_path / "lines") as in_file:
        assert Path(_setting(in_file, "temp_directory")).parent == tmp_path


def test_what_does_not_fit_goes_to_the_folder_and_leaves_it(tmp_path: Path) -> None:
    overflow = tmp_path / "overflow"
    with database.connect() as connection:
        database.overflow_to(connection, overflow)
        connection.execute("SET memory_limit = '64MB'")
        connection.execute("SET threads = 1")
        connection.execute(
            "CREATE TABLE texts AS SELECT md5(n::VARCHAR) AS t FROM range(4000000) AS r (n)"
        )
        assert list(overflow.iterdir())
    assert not overflow.exists()


def test_overflow_takes_half_of_what_is_free(tmp_path: Path) -> None:
    with database.connect() as connection:
        database.overflow_to(connection, tmp_path / "overflow")
        free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
        size = _bytes(_setting(connection, "max_temp_directory_size"))
        assert size == pytest.approx(free / 2, rel=0.05)


def test_no_other_module_opens_a_database_of_its_own() -> None:
    files = [*(ROOT / "chargeback").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    opening = {
        file.name for file in files if re.search(r"duckdb\.(connect|sql)\(", file.read_text())
    }
    assert opening == {"database.py"}


def _setting(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    ((value,),) = connection.execute(
        "SELECT current_setting($name)::VARCHAR", {"name": name}
    ).fetchall()
    return str(value)


def _bytes(size: str) -> float:
    number, unit = size.split()
    return float(number) * 1024.0 ** ["bytes", "KiB", "MiB", "GiB", "TiB"].index(unit)
