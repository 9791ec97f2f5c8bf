"""What was derived is made anew, facts are read anew, and one month's damage hides no other."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from pyarrow import parquet

from chargeback.errors import Problem
from chargeback.files.atomic import sha256_of
from chargeback.files.holds import holding
from chargeback.reports.answers import Answers
from chargeback.reports.charges import detail
from chargeback.settings import Settings
from chargeback.store.local import DamagedFacts
from chargeback.workspace import Workspace
from tests.bills import MONTH, WRITTEN, exported, line, whole, write_bill

OTHER = "2026-09"
BOTH = [MONTH, OTHER]
TOTALS = {MONTH: {"USD": Decimal("120.50")}, OTHER: {"USD": Decimal("7.25")}}
LINES = {
    MONTH: [line("100.25", team="search", day=1), line("20.25", team="support", day=2)],
    OTHER: [line("7.25", team="search")],
}
ROOT = Path(__file__).resolve().parents[2]

Damage = Callable[[Path], object]
DAMAGES: dict[str, Damage] = {
    "cut off": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "empty": lambda file: file.write_bytes(b""),
    "gone": lambda file: file.unlink(),
    "no such content": lambda file: file.write_bytes(b"PAR1"),
    "a byte flipped in front": lambda file: flip(file, 0.1),
    "a byte flipped in the middle": lambda file: flip(file, 0.5),
    "a byte flipped at the end": lambda file: flip(file, 0.99),
}


def flip(file: Path, at: float) -> None:
    content = bytearray(file.read_bytes())
    content[int(len(content) * at)] ^= 0x55
    file.write_bytes(content)


@pytest.fixture(scope="module")
def read_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bill of two months and a store of it, with what its lines mean."""
    folder = tmp_path_factory.mktemp("read")
    write_bill(folder / "cur", LINES)
    made = Workspace(Settings(cur=folder / "cur", store=folder / "store"))
    made.refresh()
    assert totals(made.answers()) == TOTALS
    return folder


@pytest.fixture
def workspace(read_once: Path, tmp_path: Path) -> Workspace:
    """A store of a test's own, of the bill that all share."""
    store = shutil.copytree(read_once / "store", tmp_path / "store", symlinks=True)
    return Workspace(Settings(cur=read_once / "cur", store=store))


@pytest.fixture
def own(workspace: Workspace, tmp_path: Path) -> Workspace:
    """The same with a bill of the test's own, which it may change."""
    write_bill(tmp_path / "cur", LINES)
    made = Workspace(Settings(cur=tmp_path / "cur", store=tmp_path / "own"))
    made.refresh()
    made.answers()
    return made


def totals(answers: Answers) -> dict[str, dict[str, Decimal]]:
    """What each month comes to, by its detail and by what is said of it, which must agree."""
    for month in answers.months:
        billed = sum(detail(answers, whole(month)).read_all()["billed_cost"].to_pylist())
        assert {"USD": billed} == answers.bill(month).totals
    return {month: dict(answers.bill(month).totals) for month in answers.months}


def folder_of(workspace: Workspace, month: str) -> Path:
    return (workspace.settings.store_folder / f"billing_period={month}").resolve()


def meaning_folder(workspace: Workspace, month: str) -> Path:
    (found,) = folder_of(workspace, month).glob("enriched-*")
    return found


def extracts(workspace: Workspace) -> dict[str, str]:
    """The version of each month: another folder each time that the month is read."""
    return {month: folder_of(workspace, month).name for month in BOTH}


# What is derived.


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize(
    "name", ["daily.parquet", "monthly.parquet", "daily_callers.parquet", "bill.json"]
)
def test_what_lines_mean_is_worked_out_again(
    name: str, damage: Damage, workspace: Workspace
) -> None:
    before = extracts(workspace)
    damage(meaning_folder(workspace, MONTH) / name)
    assert totals(workspace.answers()) == TOTALS
    assert extracts(workspace) == before  # the bill is not asked
    assert not list(folder_of(workspace, MONTH).glob(".unfinished-*"))


def test_a_total_that_was_changed_by_hand_does_not_count(workspace: Workspace) -> None:
    file = meaning_folder(workspace, MONTH) / "bill.json"
    text = file.read_text("utf-8")
    assert text.count('"120.500000000000"') == 1
    file.write_text(text.replace('"120.500000000000"', '"999.000000000000"'), "utf-8")
    assert totals(workspace.answers()) == TOTALS


# Facts.


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_facts_are_read_from_the_bill_again(damage: Damage, workspace: Workspace) -> None:
    before = extracts(workspace)
    shutil.rmtree(meaning_folder(workspace, MONTH))
    damage(folder_of(workspace, MONTH) / "spend.parquet")
    assert totals(workspace.answers()) == TOTALS
    assert extracts(workspace)[MONTH] != before[MONTH]
    assert extracts(workspace)[OTHER] == before[OTHER]


def test_a_copy_of_facts_is_theirs_byte_for_byte(workspace: Workspace, tmp_path: Path) -> None:
    stored = workspace.store.periods(workspace.source.source_id)[0]
    workspace.store.copy_facts(stored, tmp_path / "copy")
    assert sha256_of(tmp_path / "copy") == stored.manifest.spend_sha256 != ""
    assert (tmp_path / "copy").read_bytes() == stored.spend.read_bytes()


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_facts_are_not_copied_and_read_anew(
    damage: Damage, own: Workspace, tmp_path: Path
) -> None:
    stored, other = own.store.periods(own.source.source_id)
    damage(stored.spend)
    with pytest.raises(DamagedFacts, match=f"{MONTH} is damaged"):
        own.store.copy_facts(stored, tmp_path / "copy")
    own.store.copy_facts(other, tmp_path / "copy")
    assert own.refresh() == [MONTH]
    own.store.copy_facts(own.store.periods(own.source.source_id)[0], tmp_path / "copy")
    assert parquet.read_table(tmp_path / "copy").num_rows == 2  # LINES has two of the month


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_facts_that_the_bill_does_not_hold_hide_their_month_alone(
    damage: Damage, own: Workspace
) -> None:
    assert own.settings.cur
    shutil.rmtree(own.settings.cur)
    shutil.rmtree(meaning_folder(own, MONTH))
    damage(folder_of(own, MONTH) / "spend.parquet")
    answers = own.answers()
    assert totals(answers) == {OTHER: TOTALS[OTHER]}
    assert isinstance(answers.problems[MONTH], DamagedFacts)
    with pytest.raises(DamagedFacts, match=f"{MONTH} is damaged"):
        answers.bill(MONTH)
    write_bill(own.settings.cur, LINES)
    assert totals(own.answers()) == TOTALS


def test_an_answer_without_a_month_that_was_damaged_meanwhile_is_not_remembered(
    own: Workspace,
) -> None:
    both = whole(MONTH).since(OTHER)

    def asked(answers: Answers) -> Decimal:
        found = answers.ask("charges", "daily", both, dimension="team")
        return sum(found["usage_cost"].to_pylist(), Decimal())

    answers, spend = own.answers(), folder_of(own, MONTH) / "spend.parquet"
    facts = spend.read_bytes()
    for file in (meaning_folder(own, MONTH) / "daily.parquet", spend):
        DAMAGES["no such content"](file)
    with pytest.raises(DamagedFacts, match=f"{MONTH} is damaged"):
        asked(answers)
    spend.write_bytes(facts)
    assert asked(own.answers()) == sum(each["USD"] for each in TOTALS.values())


def test_facts_that_nobody_needs_now_leave_the_figures_alone(workspace: Workspace) -> None:
    DAMAGES["no such content"](folder_of(workspace, MONTH) / "spend.parquet")
    assert totals(workspace.answers()) == TOTALS


MANIFESTS: dict[str, Damage] = {
    "cut off": DAMAGES["cut off"],
    "empty": DAMAGES["empty"],
    "gone": DAMAGES["gone"],
    "of another month": lambda file: file.write_text(
        file.read_text("utf-8").replace(f'"{MONTH}"', f'"{OTHER}"'), "utf-8"
    ),
    "of a later program": lambda file: file.write_text(
        file.read_text("utf-8").replace('"schema_version": 3', '"schema_version": 99'), "utf-8"
    ),
}


@pytest.mark.parametrize("damage", MANIFESTS.values(), ids=MANIFESTS)
def test_a_month_without_its_manifest_is_read_again(damage: Damage, workspace: Workspace) -> None:
    damage(folder_of(workspace, MONTH) / "manifest.json")
    assert totals(workspace.answers()) == {OTHER: TOTALS[OTHER]}
    assert workspace.refresh() == [MONTH]
    assert totals(workspace.answers()) == TOTALS


def test_a_total_in_the_manifest_is_no_figure(workspace: Workspace) -> None:
    file = folder_of(workspace, MONTH) / "manifest.json"
    file.write_text(file.read_text("utf-8").replace('"120.500000000000"', '"1.000000000000"'))
    assert workspace.answers().manifest(MONTH).totals[0].unblended_total == 1
    assert totals(workspace.answers()) == TOTALS


# Where it lies.


def test_folders_in_the_place_of_links_are_read_and_replaced(own: Workspace) -> None:
    """As a copy of a store has them that was made without its links."""
    store = own.settings.store_folder
    for month in BOTH:
        link = store / f"billing_period={month}"
        target = link.resolve()
        link.unlink()
        shutil.copytree(target, link)
        shutil.rmtree(target)
    assert totals(own.answers()) == TOTALS
    for number in (1, 2):
        changed = [*LINES[MONTH], line(f"{number}.00")]
        write_bill(Path(str(own.settings.cur)), {MONTH: changed}, WRITTEN + timedelta(hours=number))
        assert own.refresh() == [MONTH]
        expected = {"USD": TOTALS[MONTH]["USD"] + number}
        assert totals(own.answers()) == {**TOTALS, MONTH: expected}
    assert (store / f"billing_period={MONTH}").is_symlink()


def test_a_reader_outlives_two_replacements_of_its_month(own: Workspace) -> None:
    reader = own.answers()
    for number in (1, 2, 3):
        changed = [*LINES[MONTH], line(f"{number}.00")]
        write_bill(Path(str(own.settings.cur)), {MONTH: changed}, WRITTEN + timedelta(hours=number))
        assert own.refresh() == [MONTH]
        own.answers()
    assert totals(reader) == TOTALS
    opened = {path.name for path in (own.settings.store_folder / "versions").glob(f"{MONTH}-*")}
    assert Path(reader.periods[0].key.split()[0]).name in opened


def test_what_a_killed_process_left_goes_and_what_is_held_stays(own: Workspace) -> None:
    versions = own.settings.store_folder / "versions"
    left, held = versions / f"{MONTH}-000000000000", versions / f"{MONTH}-111111111111"
    for folder in (left, held):
        shutil.copytree(folder_of(own, MONTH), folder)
    (versions / f"{MONTH}-000000000000.link").symlink_to(left)
    write_bill(Path(str(own.settings.cur)), {MONTH: LINES[MONTH]}, WRITTEN + timedelta(hours=1))
    with holding(held):
        assert own.refresh() == [MONTH]
        assert not os.path.lexists(left)
        assert not os.path.lexists(versions / f"{MONTH}-000000000000.link")
        assert held.exists()


# Processes that are killed, and disks that are full or only readable.

KILLED_AT = """
import os, signal, sys
from chargeback.cli.main import main
renames = 0
def hook(event, _):
    global renames
    if event == "os.rename":
        renames += 1
        if renames == int(sys.argv[1]):
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
sys.exit(main(sys.argv[2:]))
"""
"""Runs a command, and is killed before it renames for the n-th time."""


def command(workspace: Workspace, *arguments: str, prefix: tuple[str, ...] = ()) -> list[str]:
    """A command line that runs without the right to pass over permissions, which root has."""
    program = ["-m", "chargeback"] if not prefix else [*prefix]
    unprivileged = ["setpriv", "--bounding-set=-all", "--"] if os.geteuid() == 0 else []
    return [*unprivileged, sys.executable, *program, *arguments]


def environment(workspace: Workspace) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if "CHARGEBACK" not in name},
        "CHARGEBACK_CUR": str(workspace.settings.cur),
        "CHARGEBACK_STORE": str(workspace.settings.store_folder),
        "PYTHONPATH": str(ROOT),
    }


def run(
    workspace: Workspace, cwd: Path, *arguments: str, prefix: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(workspace, *arguments, prefix=prefix),
        cwd=cwd,
        env=environment(workspace),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("at", ["1", "2"])
def test_a_refresh_that_is_killed_leaves_the_month_as_it_was(
    at: str, own: Workspace, tmp_path: Path
) -> None:
    """Before the new version is published; and before what it means is."""
    changed = [*LINES[MONTH], line("1.00")]
    write_bill(Path(str(own.settings.cur)), {MONTH: changed}, WRITTEN + timedelta(hours=1))
    done = run(own, tmp_path, at, "refresh", prefix=("-c", KILLED_AT))
    assert done.returncode == -9, done.stderr
    expected = {"USD": TOTALS[MONTH]["USD"] + (at == "2")}
    assert totals(own.answers()) == {**TOTALS, MONTH: expected}
    write_bill(Path(str(own.settings.cur)), {MONTH: changed}, WRITTEN + timedelta(hours=2))
    own.refresh()
    assert totals(own.answers()) == {**TOTALS, MONTH: {"USD": Decimal("121.50")}}
    versions = own.settings.store_folder / "versions"
    assert not list(versions.glob("*.link"))
    assert len(list(versions.glob(f"{MONTH}-*"))) == 2  # the one in force, the one before
    assert not list(versions.glob("*/.unfinished-*"))


@pytest.fixture
def read_only(workspace: Workspace) -> Iterator[Workspace]:
    """A store that nobody may write: what its lines mean has yet to be worked out."""
    for month in BOTH:
        shutil.rmtree(meaning_folder(workspace, month))
    store = workspace.settings.store_folder
    folders = [store, *(path for path in store.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    yield workspace
    for folder in folders:
        folder.chmod(0o755)


def test_a_store_that_can_only_be_read_is_shown(read_only: Workspace, tmp_path: Path) -> None:
    store = read_only.settings.store_folder
    before = sorted(store.rglob("*"))
    done = run(read_only, tmp_path, "export", "--month", MONTH, "--by", "team")
    assert (done.returncode, done.stderr) == (0, "")
    statement = (tmp_path / done.stdout.splitlines()[0]).read_text("utf-8-sig")
    assert [row.split(",")[-1] for row in statement.splitlines()[1:]] == ["100.25", "20.25", "0.00"]
    assert sorted(store.rglob("*")) == before


def small_files(limit: int) -> tuple[str, ...]:
    """Runs a command that can write no file larger than this, as on a disk that is full."""
    code = (
        "import resource, signal, sys; from chargeback.cli.main import main;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}));"
        "sys.exit(main(sys.argv[1:]))"
    )
    return ("-c", code)


def test_a_full_disk_leaves_every_month_as_it_was(own: Workspace, tmp_path: Path) -> None:
    changed = [*LINES[MONTH], line("1.00")]
    write_bill(Path(str(own.settings.cur)), {MONTH: changed}, WRITTEN + timedelta(hours=1))
    before = extracts(own)
    done = run(own, tmp_path, "refresh", prefix=small_files(1000))
    (said,) = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert said.startswith("chargeback: ")
    assert MONTH in said
    assert extracts(own) == before
    assert totals(own.answers()) == TOTALS
    assert own.refresh() == [MONTH]


# Files of an export.


def fits(out: Path) -> bool:
    """Whether the folder holds no manifest, or one of which all files are as it says."""
    done = subprocess.run(
        ["sha256sum", "--check", "--quiet"],
        input="".join(
            f"{sha}  {out / name}\n"
            for manifest in out.glob("manifest-*.json")
            for name, sha in named_files(manifest)
        ),
        text=True,
        capture_output=True,
        check=False,
    )
    return done.returncode == 0 or not list(out.glob("manifest-*.json"))


def named_files(manifest: Path) -> list[tuple[str, str]]:
    return [(file["name"], file["sha256"]) for file in json.loads(manifest.read_text())["files"]]


@pytest.mark.parametrize("at", ["1", "2", "3"])
def test_an_export_that_is_killed_leaves_no_manifest_of_files_that_are_not_there(
    at: str, own: Workspace, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    exported(own.answers(), whole(MONTH), "team", date(2026, 11, 23), out)
    write_bill(
        Path(str(own.settings.cur)),
        {MONTH: [*LINES[MONTH], line("1.00")]},
        WRITTEN + timedelta(hours=1),
    )
    own.refresh()
    own.answers()
    export = ("export", "--month", MONTH, "--by", "team")
    done = run(own, tmp_path, at, *export, prefix=("-c", KILLED_AT))
    assert done.returncode == -9, done.stderr
    assert list(out.glob(".chargeback-unfinished-*"))
    assert fits(out)
    assert run(own, tmp_path, *export).returncode == 0
    assert sorted(path.name for path in out.iterdir()) == [
        f"chargeback-detail-{MONTH}.csv",
        f"chargeback-team-{MONTH}.csv",
        f"manifest-team-{MONTH}.json",
    ]
    assert fits(out)


def test_a_full_disk_names_the_file_and_leaves_the_files_before(
    own: Workspace, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    files = exported(own.answers(), whole(MONTH), "team", date(2026, 11, 23), out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    limit = files.statement.stat().st_size + 10  # the statement fits, the detail does not
    assert limit < files.detail.stat().st_size
    done = run(own, tmp_path, "export", "--month", MONTH, "--by", "team", prefix=small_files(limit))
    (said,) = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{files.detail.name} can't be written" in said
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_folder_that_cannot_be_made_names_the_file(own: Workspace, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("no folder")
    with pytest.raises(Problem, match=f"chargeback-team-{MONTH}.csv can't be written"):
        exported(own.answers(), whole(MONTH), "team", date(2026, 11, 23), tmp_path / "out")
