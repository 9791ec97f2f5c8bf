"""The command line, as a process and in this one: what it writes and says, its exit status."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from zipfile import ZipFile

import pytest

from chargeback.access.change import machine_user
from chargeback.cli.main import main
from chargeback.demo import write_demo
from chargeback.statement.build import COLUMNS
from tests.bills import MONTH, WRITTEN, file_of, line, write_bill, write_manifest_again

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def cur(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cur")
    write_demo(folder, today=date(2026, 11, 23), months=4, lines=300)
    return folder


@pytest.fixture
def command(cur: Path, tmp_path: Path) -> Command:
    """Runs `python -m chargeback …` in an empty folder, over four months of a bill."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        ours = {name: text for name, text in os.environ.items() if "CHARGEBACK" not in name}
        ours |= {"CHARGEBACK_CUR": str(cur), "CHARGEBACK_STORE": str(tmp_path / "store")}
        return subprocess.run(
            [sys.executable, "-m", "chargeback", *arguments],
            cwd=tmp_path,
            env={**ours, "PYTHONPATH": str(Path(__file__).parents[1]), **variables},
            text=True,
            capture_output=True,
            check=False,
        )

    return run


@pytest.fixture
def inside(
    cur: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """The same in this process: where what is said matters, and not how a process starts."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if "CHARGEBACK" in name]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CHARGEBACK_CUR", str(cur))
    monkeypatch.setenv("CHARGEBACK_STORE", str(tmp_path / "store"))

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        capsys.readouterr()
        with monkeypatch.context() as environment:
            for name, value in variables.items():
                environment.setenv(name, value)
            status = main(arguments)
        written = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, status, written.out, written.err)

    return run


def noticed(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Of each line on stderr what it is about, how serious it is, and its code."""
    return [": ".join(line.split(": ")[1:4]) for line in done.stderr.splitlines()]


def test_a_bill_is_read_once_and_says_what_is_new_on_it(command: Command) -> None:
    first, second = command("refresh"), command("refresh")
    assert first.returncode == second.returncode == 0
    assert first.stdout == "Read 2026-08, 2026-09, 2026-10, 2026-11.\n"
    assert second.stdout == "Up to date.\n"
    # In the first month that is stored; the later ones have the product too.
    assert [noticed(done) for done in (first, second)] == [["2026-08: info: product-new"]] * 2


def test_no_command_waits_for_what_only_others_use() -> None:
    heavy = "duckdb pyarrow sqlglot pydantic numpy boto3 pyathena pandas plotly streamlit"
    code = (
        "import sys; from chargeback.cli.main import main; main(['focus', '--month']);"
        f"print(*sys.modules.keys() & set({heavy!r}.split()))"
    )
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    assert done.stdout == "\n"


def test_an_export_waits_for_nothing_that_only_others_use(cur: Path, tmp_path: Path) -> None:
    # Of a month that was read before: DuckDB itself imports pandas when a month is read.
    heavy = "boto3 botocore pyathena pandas plotly streamlit chargeback.demo"
    words = ["export", "--month", "2026-10", "--by", "team", "--out", str(tmp_path)]
    code = (
        f"import sys; from chargeback.cli.main import main; main({words!r});"
        f"print(*sys.modules.keys() & set({heavy!r}.split()))"
    )
    variables = {"CHARGEBACK_CUR": str(cur), "CHARGEBACK_STORE": str(tmp_path / "store")}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code],
            text=True,
            capture_output=True,
            check=True,
            env={**os.environ, **variables},
        )
    assert done.stdout.splitlines()[-1] == ""


@pytest.mark.parametrize(
    ("arguments", "read"), [(("--month", "2026-10"), "2026-10"), (("--months", "1"), "2026-11")]
)
def test_some_months_can_be_read_alone(
    inside: Command, arguments: tuple[str, str], read: str
) -> None:
    assert inside("refresh", *arguments).stdout == f"Read {read}.\n"


def test_an_export_reads_what_it_needs_and_names_its_files(
    command: Command, tmp_path: Path
) -> None:
    done = command("export", "--month", "2026-10", "--by", "team", "--out", "files")
    assert (done.returncode, noticed(done)) == (0, ["2026-10: info: product-new"])
    statement, detail, manifest = map(tmp_path.joinpath, done.stdout.splitlines())
    assert [file.name for file in (statement, detail, manifest)] == [
        "chargeback-team-2026-10.csv",
        "chargeback-detail-2026-10.csv",
        "manifest-team-2026-10.json",
    ]
    rows = list(csv.DictReader(statement.open(encoding="utf-8-sig", newline="")))
    assert tuple(rows[0]) == tuple(COLUMNS)
    assert rows[-1]["bill_to"] == "(unallocated)"
    lines = csv.DictReader(detail.open(encoding="utf-8-sig", newline=""))
    exact = sum((Decimal(line["billed_cost"]) for line in lines), Decimal())
    charged = sum((Decimal(row["total_charge"]) for row in rows), Decimal())
    assert charged == exact.quantize(Decimal("0.01"))


def test_statements_are_written_for_all_units_or_for_one(command: Command, tmp_path: Path) -> None:
    by = ("statements", "--month", "2026-10", "--by", "team", "--out", "files")
    every, one = command(*by), command(*by, "--unit", "search")
    assert [noticed(done) for done in (every, one)] == [["2026-10: info: product-new"]] * 2
    archive, html, xlsx = map(tmp_path.joinpath, (every.stdout + one.stdout).splitlines())
    assert archive.name == "statements-team-2026-10.zip"
    with ZipFile(archive) as opened:
        assert opened.read(html.name) == html.read_bytes()
    assert xlsx.name == html.with_suffix(".xlsx").name
    assert sorted(archive.parent.iterdir()) == sorted([archive, html, xlsx])


def test_a_focus_dataset_is_written_and_named(inside: Command, tmp_path: Path) -> None:
    done = inside("focus", "--month", "2026-10", "--by", "team", "--version", "1.3")
    assert (done.returncode, noticed(done)) == (0, ["2026-10: info: product-new"])
    names = [str(path.relative_to(tmp_path)) for path in (tmp_path / "out").iterdir()]
    assert sorted(done.stdout.splitlines()) == sorted(names)
    assert sorted(names) == [
        "out/focus-1.3-team-2026-10.csv",
        "out/focus-1.3-team-2026-10.parquet",
        "out/focus-methods-team-2026-10.json",
    ]


def test_a_unit_without_a_charge_exits_with_2_and_one_line(inside: Command, tmp_path: Path) -> None:
    done = inside("statements", "--month", "2026-10", "--by", "team", "--unit", "no\nsuch")
    assert (done.returncode, done.stdout) == (2, "")
    assert not (tmp_path / "out").exists()
    *_, last = done.stderr.splitlines()
    assert last.startswith("chargeback: Nothing is charged to the team 'no\\nsuch' in 2026-10.")


def test_a_demo_is_written_where_it_is_asked_for(inside: Command, tmp_path: Path) -> None:
    done = inside("demo", "--out", "here", "--months", "1", "--lines", "200")
    assert (done.returncode, done.stdout, done.stderr) == (0, "here\n", "")
    assert inside("refresh", CHARGEBACK_CUR=str(tmp_path / "here")).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (("export", "--month", "10-2026", "--by", "team"), {}, "'10-2026' is not a month"),
        (("export", "--month", "2020-01", "--by", "team"), {}, "no billing period 2020-01"),
        (("refresh",), {"CHARGEBACK_COST_BASIS": "gross"}, "CHARGEBACK_COST_BASIS"),
        (
            ("refresh",),
            {"CHARGEBACK_ATHENA__DATABASE": "a", "CHARGEBACK_ATHENA__TABLE": "b"},
            "Two bills",
        ),
    ],
)
def test_what_cannot_be_asked_exits_with_2_and_one_line(
    inside: Command, arguments: tuple[str, ...], variables: dict[str, str], said: str
) -> None:
    done = inside(*arguments, **variables)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("chargeback: ")
    assert said in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "required: COMMAND"),
        (("nonsense",), "(choose from 'refresh', 'export'"),
        (("statements", "--by", "team"), "required: --month"),
        (("statements", "--month", "2026-10", "--by", "colour"), "'colour' (choose from 'tenant'"),
        (("export", "--month", "2026-10"), "required: --by"),
        (("focus", "--month", "2026-10", "--by", "team"), "required: --version"),
        (("export", "--month", "2026-10", "--by", "colour"), "'colour' (choose from 'tenant'"),
        (("refresh", "--months", "0"), "--months: '0' is not a number of 1 or more"),
        (("refresh", "--months", "x"), "--months: 'x' is not a number of 1 or more"),
    ],
)
def test_what_is_no_command_exits_with_2_and_one_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert main(arguments) == 2
    written = capsys.readouterr()
    assert written.out == ""
    (line,) = written.err.splitlines()
    assert line.startswith("chargeback: ")
    assert said in line


def test_a_wrong_key_in_the_file_exits_with_2(command: Command, tmp_path: Path) -> None:
    (tmp_path / "chargeback.toml").write_text("cost_bases = 'net'\n", "utf-8")
    done = command("refresh")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "chargeback.toml, line 1, cost_bases: there is no such setting" in line


def test_an_empty_variable_is_not_this_folder(inside: Command, tmp_path: Path) -> None:
    assert inside("refresh", "--months", "1", CHARGEBACK_STORE="").returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_bill_that_cannot_be_read_exits_with_1_and_one_line(
    command: Command, tmp_path: Path
) -> None:
    done = command("refresh", CHARGEBACK_CUR=str(tmp_path / "nowhere"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [done.stderr.rstrip("\n")]
    assert "can't be read" in done.stderr


def test_an_export_uses_what_was_read_before_and_says_when_it_is_stale(
    inside: Command, cur: Path, tmp_path: Path
) -> None:
    export = ("export", "--month", "2026-10", "--by", "team")
    own = shutil.copytree(cur, tmp_path / "own")
    assert inside("refresh", "--month", "2026-10", CHARGEBACK_CUR=str(own)).returncode == 0
    fresh = inside(*export, CHARGEBACK_CUR=str(own))
    assert (fresh.returncode, noticed(fresh)) == (0, ["2026-10: info: product-new"])
    statement = tmp_path / fresh.stdout.splitlines()[0]
    charged = statement.read_bytes()
    (file,) = own.glob("*/data/BILLING_PERIOD=2026-10/*.parquet")
    file.write_bytes(b"PAR1")
    write_manifest_again(own, "2026-10")
    stale = inside(*export, CHARGEBACK_CUR=str(own))
    assert (stale.returncode, stale.stdout) == (0, fresh.stdout)
    line, _ = stale.stderr.splitlines()
    assert line.startswith("chargeback: not up to date: Files of billing period 2026-10 can't be")
    assert statement.read_bytes() == charged


def test_what_was_read_of_another_bill_is_never_exported(inside: Command, tmp_path: Path) -> None:
    assert inside("refresh", "--month", "2026-10").returncode == 0
    done = inside(
        "export", "--month", "2026-10", "--by", "team", CHARGEBACK_CUR=str(tmp_path / "nowhere")
    )
    assert (done.returncode, done.stdout) == (1, "")


@pytest.fixture
def less(inside: Command, tmp_path: Path) -> Path:
    """A bill of which the store holds 100.00 and a newer delivery 40.00."""
    cur = write_bill(tmp_path / "less", {MONTH: [line("100.00", team="search")]})
    assert inside("refresh", CHARGEBACK_CUR=str(cur)).returncode == 0
    write_bill(cur, {MONTH: [line("40.00", team="search")]}, WRITTEN + timedelta(hours=1))
    return cur


def test_a_delivery_that_holds_less_is_said_until_it_is_accepted(
    inside: Command, less: Path, tmp_path: Path
) -> None:
    said = inside("refresh", CHARGEBACK_CUR=str(less))
    assert (said.returncode, said.stdout) == (0, "Up to date.\n")
    assert noticed(said) == [f"{MONTH}: blocks-close: delivery-smaller"]
    assert "from 100.00 USD to 40.00 USD. It was not taken" in said.stderr
    accepted = inside("refresh", "--accept", MONTH, CHARGEBACK_CUR=str(less))
    assert (accepted.returncode, accepted.stdout) == (0, f"Read {MONTH}.\n")
    assert noticed(accepted) == [f"{MONTH}: info: delivery-accepted"]
    assert f"accepted by {machine_user()} on" in accepted.stderr
    again = inside("refresh", "--accept", MONTH, CHARGEBACK_CUR=str(less))
    assert (again.returncode, again.stdout) == (2, "")
    assert "No delivery" in again.stderr


def test_strict_exits_with_3_where_something_blocks_and_writes_all_the_same(
    inside: Command, less: Path, tmp_path: Path
) -> None:
    export = ("export", "--month", MONTH, "--by", "team", "--out", "files")
    done = [inside(*export, *more, CHARGEBACK_CUR=str(less)) for more in ([], ["--strict"])]
    assert [each.returncode for each in done] == [0, 3]
    assert done[0].stdout == done[1].stdout
    manifest = json.loads((tmp_path / done[1].stdout.splitlines()[2]).read_text("utf-8"))
    assert manifest["period_status"] == "PROVISIONAL"
    assert [each["code"] for each in manifest["notices"]] == ["delivery-smaller"]
    assert "40.00 USD" in manifest["notices"][0]["text"]


def test_strict_exits_with_3_where_figures_are_not_up_to_date(
    inside: Command, tmp_path: Path
) -> None:
    cur = write_bill(tmp_path / "own", {MONTH: [line("100.00")]})
    export = ("export", "--month", MONTH, "--by", "team", "--strict")
    fresh = inside(*export, CHARGEBACK_CUR=str(cur))
    file_of(cur, MONTH).write_bytes(b"PAR1")
    stale = inside(*export, CHARGEBACK_CUR=str(cur))
    assert [fresh.returncode, stale.returncode] == [0, 3]
    manifest = json.loads((tmp_path / stale.stdout.splitlines()[2]).read_text("utf-8"))
    assert manifest["up_to_date"] is False


def test_a_set_that_a_later_export_no_longer_fits_is_named(inside: Command, tmp_path: Path) -> None:
    cur = write_bill(tmp_path / "own", {MONTH: [line("100.00", team="a", tenant="b")]})
    by = [
        ("export", "--month", MONTH, "--by", unit, "--out", "files") for unit in ("team", "tenant")
    ]
    assert [inside(*each, CHARGEBACK_CUR=str(cur)).stderr for each in by] == ["", ""]
    write_bill(cur, {MONTH: [line("101.00", team="a", tenant="b")]}, WRITTEN + timedelta(hours=1))
    done = inside(*by[1], CHARGEBACK_CUR=str(cur))
    assert done.returncode == 0
    assert done.stderr == (
        f"chargeback: manifest-team-{MONTH}.json no longer fits the files beside it: "
        "export it again.\n"
    )
    assert inside(*by[0], CHARGEBACK_CUR=str(cur)).stderr == ""
