"""chargeback.example.toml: it says everything, and what it says is allowed."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest

from chargeback.settings import AthenaSettings, Settings, load_settings
from chargeback.spend.attribution import AttributionRules

EXAMPLE = Path(__file__).resolve().parents[1] / "chargeback.example.toml"
SETTING = re.compile(r"^# (\[\w+\]|\w+ = .+)$", re.MULTILINE)


@pytest.fixture
def uncommented() -> str:
    """Every setting of the example without its comment mark."""
    return "\n".join(SETTING.findall(EXAMPLE.read_text("utf-8")))


def test_every_setting_is_documented_and_no_other(uncommented: str) -> None:
    said = tomllib.loads(uncommented)
    assert set(said) == set(Settings.model_fields)
    assert set(said["athena"]) == set(AthenaSettings.model_fields)
    assert set(said["attribution"]) == set(AttributionRules.model_fields)


def test_what_it_says_is_allowed(
    uncommented: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("CHARGEBACK_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    one_bill = re.sub(r"^cur = .*$", "", uncommented, flags=re.MULTILINE)
    Path("chargeback.toml").write_text(one_bill, "utf-8")
    settings = load_settings()
    assert settings.athena
    assert settings.athena.table == "cur2"
    assert settings.store_folder == Path("data/store")


def test_it_gives_the_defaults(uncommented: str) -> None:
    said = tomllib.loads(uncommented)
    assert said["cost_basis"] == Settings.model_fields["cost_basis"].default
    assert said["attribution"] == AttributionRules().model_dump()
    for name in ("workgroup", "catalog", "timeout_seconds"):
        assert said["athena"][name] == AthenaSettings.model_fields[name].default


def test_as_it_stands_it_changes_nothing() -> None:
    assert tomllib.loads(EXAMPLE.read_text("utf-8")) == {}
