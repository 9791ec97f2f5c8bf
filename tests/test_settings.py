"""Settings: the file, the environment over it, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chargeback.errors import UsageProblem
from chargeback.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run in, without settings in the environment."""
    for name in [name for name in os.environ if name.startswith("CHARGEBACK_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(text: str) -> Settings:
    Path("chargeback.toml").write_text(text, "utf-8")
    return load_settings()


def test_with_nothing_configured_the_demo_is_shown() -> None:
    settings = load_settings()
    assert settings.is_demo
    assert settings.store_folder == Path("data/demo/store")


def test_a_bill_of_ones_own_has_a_store_of_its_own() -> None:
    settings = written('cur = "/exports"\n')
    assert not settings.is_demo
    assert settings.store_folder == Path("data/store")


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARGEBACK_ATHENA__TABLE", "other")
    settings = written('[athena]\ndatabase = "billing"\ntable = "cur2"\n')
    assert settings.athena
    assert (settings.athena.database, settings.athena.table) == ("billing", "other")


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARGEBACK_STORE", "")
    monkeypatch.setenv("CHARGEBACK_CUR", "")
    assert load_settings().store_folder == Path("data/demo/store")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cost_basis = 'gross'\n", "line 1.*cost_basis.*'auto', 'unblended' or 'net'"),
        ("\ncurr = '/exports'\n", "line 2.*curr.*allowed are cur, store"),
        ("[athena]\ndatabase = 'a'\n", "athena.table"),
        ("[athena]\ndatabase = 'a'\ntable = 'b'\nregoin = 'c'\n", "line 4.*athena.regoin.*region"),
        ("[attribution]\nteam = ['team']\n", "line 2.*attribution.team.*tag key such as"),
        ("[attribution]\nteam = ['team']\n", r"team: a source is .*, or 'account'\. Correct it"),
        ("cur = \n", "not valid TOML.*line 1"),
        ("hosts = ['https://a.example']\n", "line 1.*hosts.*'https://a.example'.*without scheme"),
        ("hosts = ['a.example:8501']\n", "hosts.*'a.example:8501'.*port"),
        ("hosts = ['*']\n", r"hosts.*'\*'"),
        ("open_to_all = 'perhaps'\n", "line 1.*open_to_all"),
        ("[access]\nwriter = []\n", "line 2.*access.writer.*allowed are writers"),
        ("ledger = 's3://bucket/ledger'\n", "line 1.*ledger.*S3 is not supported yet.*a folder"),
        ("store = 'a'\nledger = 'a/b'\n", "within the spend store.*CHARGEBACK_LEDGER"),
        ("cur = '/exports'\n[athena]\ndatabase = 'a'\ntable = 'b'\n", "Two bills"),
    ],
)
def test_what_is_not_allowed_is_named(text: str, said: str) -> None:
    with pytest.raises(UsageProblem, match=said):
        written(text)


def test_a_file_that_is_no_text_is_refused() -> None:
    Path("chargeback.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageProblem, match=r"chargeback\.toml is not valid TOML"):
        load_settings()


@pytest.mark.parametrize("name", ["CHARGEBACK_ATTRIBUTION", "CHARGEBACK_ATTRIBUTION__TEAM"])
def test_a_list_in_a_variable_is_json(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "iamPrincipal/team")
    with pytest.raises(UsageProblem, match=f"{name}: not valid JSON"):
        load_settings()


def test_sources_can_be_set_by_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARGEBACK_ATTRIBUTION__TEAM", '["account"]')
    assert load_settings().attribution.team == ["account"]


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARGEBACK_COST_BASIS", "gross")
    with pytest.raises(UsageProblem, match=r"CHARGEBACK_COST_BASIS.*'auto', 'unblended' or 'net'"):
        load_settings()


def test_without_a_word_nobody_else_may_look_or_change() -> None:
    settings = load_settings()
    assert (settings.open_to_all, settings.hosts, settings.access.writers) == (False, [], [])


def test_the_ledger_lies_beside_the_store() -> None:
    assert load_settings().ledger_folder == Path("data/demo/ledger")
    assert written('cur = "/exports"\n').ledger_folder == Path("data/ledger")
    assert written('ledger = "/books"\n').ledger_folder == Path("/books")


def test_access_can_be_set_by_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARGEBACK_OPEN_TO_ALL", "true")
    monkeypatch.setenv("CHARGEBACK_HOSTS", '["finance.example.com", "[::2]"]')
    monkeypatch.setenv("CHARGEBACK_ACCESS__WRITERS", '["ann@example.com"]')
    monkeypatch.setenv("CHARGEBACK_LEDGER", "/books")
    settings = load_settings()
    assert settings.open_to_all
    assert settings.hosts == ["finance.example.com", "[::2]"]
    assert settings.access.writers == ["ann@example.com"]
    assert settings.ledger_folder == Path("/books")


@pytest.mark.parametrize("name", ["CHARGEBACK_HOSTS", "CHARGEBACK_ACCESS__WRITERS"])
def test_a_list_of_names_in_a_variable_is_json_too(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "finance.example.com")
    with pytest.raises(UsageProblem, match=f"{name}: not valid JSON"):
        load_settings()
