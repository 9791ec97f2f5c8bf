"""chargeback.example.toml: it says everything, and what it says is allowed."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from chargeback.access.change import AccessSettings
from chargeback.attribution.rules import KINDS, AttributionRules
from chargeback.settings import Settings, load_settings
from chargeback.sources.athena.settings import AthenaSettings
from chargeback.sources.bill_settings import BillSettings
from chargeback.statement.allocation_settings import AllocationRule, AllocationSettings
from chargeback.statement.close_settings import CloseSettings
from chargeback.statement.journal.settings import JournalSettings
from chargeback.statement.unit_settings import StatementSettings
from chargeback.store.settings import StoreSettings

EXAMPLE = Path(__file__).resolve().parents[1] / "chargeback.example.toml"
SECTIONS: dict[str, type[BaseModel]] = {
    "store": StoreSettings,
    "access": AccessSettings,
    "athena": AthenaSettings,
    "bill": BillSettings,
    "attribution": AttributionRules,
    "allocation": AllocationSettings,
    "statement": StatementSettings,
    "close": CloseSettings,
    "journal": JournalSettings,
}
SETTING = re.compile(r"^# (\[\w+\]|\w+ = .+)$", re.MULTILINE)


@pytest.fixture
def uncommented() -> str:
    """Every setting of the example without its comment mark."""
    return "\n".join(SETTING.findall(EXAMPLE.read_text("utf-8")))


def test_every_setting_is_documented_and_no_other(uncommented: str) -> None:
    said = tomllib.loads(uncommented)
    assert set(said) == set(Settings.model_fields)
    for section, model in SECTIONS.items():
        assert set(said[section]) == set(model.model_fields), section


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Settings]:
    """The settings of a chargeback.toml with this text, and of nothing else."""
    for name in [name for name in os.environ if name.startswith("CHARGEBACK_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def loaded(text: str) -> Settings:
        Path("chargeback.toml").write_text(text, "utf-8")
        return load_settings()

    return loaded


def lines(text: str) -> Iterator[tuple[str, str]]:
    """Each setting as its table's header, '' outside of tables, and its line."""
    table = ""
    for line in text.splitlines():
        if line.startswith("["):
            table = line
        else:
            yield table, line


def test_each_line_is_allowed_alone(uncommented: str, load: Callable[[str], Settings]) -> None:
    needed = [line for line in uncommented.splitlines() if re.match("(database|table) =", line)]
    alone = list(lines(uncommented))
    for table, line in alone:
        others = [] if table != "[athena]" else [each for each in needed if each != line]
        settings = load("\n".join([table, line, *others]))
        assert settings.model_fields_set, line
    fields = sum(len(model.model_fields) for model in SECTIONS.values())
    assert len(alone) == len(Settings.model_fields) - len(SECTIONS) + fields


def test_the_allocation_rule_that_it_shows_is_allowed(load: Callable[[str], Settings]) -> None:
    text = EXAMPLE.read_text("utf-8").partition("[[allocation.rules]]")[2]
    shown = [each.partition("    ")[0] for each in re.findall(r"^#   (\w.*)$", text, re.MULTILINE)]
    rule = "\n".join(each for each in shown if " = " in each and not each.startswith("shares"))
    assert load(f"[[allocation.rules]]\n{rule}").allocation.rules[0].to == ("acme-corp", "globex")
    keys = {each.partition(" = ")[0] for each in shown if " = " in each}
    named = {each.alias or name for name, each in AllocationRule.model_fields.items()}
    assert keys == named


def test_every_kind_of_source_that_it_shows_is_allowed(load: Callable[[str], Settings]) -> None:
    shown = re.findall(
        r"^#   ([\"{].*?[\"}])(?:, …)?(?: {3}|$)", EXAMPLE.read_text("utf-8"), re.MULTILINE
    )
    assert len(shown) == len(KINDS) + len(("a tag", "an account's tag", "the account"))
    for sources in shown:
        assert load(f"[attribution]\nteam = [{sources}]").attribution.team, sources


def test_what_it_says_is_allowed(uncommented: str, load: Callable[[str], Settings]) -> None:
    settings = load(re.sub(r"^cur = .*$", "", uncommented, flags=re.MULTILINE))
    assert settings.athena
    assert settings.athena.table == "cur2"
    assert settings.store_folder == Path("data/store")


def test_it_gives_the_defaults(uncommented: str) -> None:
    said = tomllib.loads(uncommented)
    assert said["cost_basis"] == Settings.model_fields["cost_basis"].default
    assert BillSettings(**said["bill"] | {"export": None}) == BillSettings()
    for name in ("open_to_all", "hosts"):
        assert said[name] == Settings().model_dump()[name]
    assert said["access"] == AccessSettings().model_dump()
    assert said["attribution"] == AttributionRules().model_dump()
    assert said["statement"] == StatementSettings().model_dump()
    assert said["journal"] == JournalSettings().model_dump(mode="json")
    for name in ("workgroup", "catalog", "timeout_seconds"):
        assert said["athena"][name] == AthenaSettings.model_fields[name].default


def test_as_it_stands_it_changes_nothing() -> None:
    assert tomllib.loads(EXAMPLE.read_text("utf-8")) == {}
