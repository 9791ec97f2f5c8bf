"""Who may look and who may change, decided without a server."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from chargeback.access.change import (
    AccessSettings,
    Actor,
    ChangeRefused,
    Kind,
    machine_user,
    may_change,
    require_change,
)
from chargeback.access.look import Look, is_this_machine, who_may_look
from chargeback.access.secrets_file import SignIn
from chargeback.ledger.change_lines import CHANGES
from chargeback.ledger.changes import verify
from chargeback.settings import Settings

ANN = "Ann@Example.com"


def settings(folder: Path, *writers: str, open_to_all: bool = False) -> Settings:
    access = AccessSettings(writers=list(writers))
    return Settings(ledger=folder, access=access, open_to_all=open_to_all)


def refusals(folder: Path) -> list[str]:
    lines = (folder / CHANGES).read_text().splitlines() if (folder / CHANGES).exists() else []
    return [f"{entry['who']}: {entry['what']}" for entry in map(json.loads, lines)]


@pytest.mark.parametrize(
    ("user", "kind", "writers", "open_to_all", "may"),
    [
        ("ann", "machine", (), False, True),
        ("ann", "machine", (), True, True),
        ("ann@example.com", "signed in", (ANN,), False, True),
        ("ANN@EXAMPLE.COM", "signed in", (f" {ANN} ",), True, True),
        ("bob@example.com", "signed in", (ANN,), False, False),
        ("ann@example.com.evil.example", "signed in", (ANN,), False, False),
        ("ann@example.com", "signed in", (), False, False),
        ("", "signed in", ("", " ", ANN), False, False),
        ("ann@example.com", "visitor", (ANN,), False, False),
        ("", "visitor", (), True, False),
        ("", "this machine", (), False, True),
        ("", "this machine", (ANN,), False, True),
        ("", "this machine", (), True, False),
    ],
)
def test_who_may_change(
    tmp_path: Path, user: str, kind: Kind, writers: tuple[str, ...], open_to_all: bool, may: bool
) -> None:
    rules = settings(tmp_path, *writers, open_to_all=open_to_all)
    assert may_change(Actor(user, kind=kind), rules) is may


def test_who_may_is_let_pass_without_a_word(tmp_path: Path) -> None:
    require_change(Actor(machine_user()), settings(tmp_path), "close 2026-10")
    assert refusals(tmp_path) == []


def test_a_refusal_names_who_may_and_is_written_down(tmp_path: Path) -> None:
    bob = Actor("bob@example.com", kind="signed in")
    with pytest.raises(ChangeRefused, match=r"close 2026-10.*Nothing was changed\..*Ann@Example"):
        require_change(bob, settings(tmp_path, ANN), "close 2026-10")
    with pytest.raises(ChangeRefused, match=r"\[access\] writers.*command line"):
        require_change(Actor("", kind="visitor"), settings(tmp_path), "reopen 2026-10")
    assert refusals(tmp_path) == [
        "bob@example.com: refused: close 2026-10",
        "visitor: refused: reopen 2026-10",
    ]
    assert verify(tmp_path) is None


def test_a_refusal_that_cannot_be_written_down_is_one_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ChangeRefused):
        require_change(Actor("", kind="visitor"), settings(tmp_path / "file"), "close 2026-10")


def test_a_given_name_stands_beside_the_user_and_never_instead() -> None:
    assert str(Actor(machine_user(), "The Controller")) == f"{machine_user()} as The Controller"
    assert str(Actor("ann")) == "ann"
    assert str(Actor("", "Ann", kind="visitor")) == "visitor as Ann"


def test_a_given_name_opens_nothing(tmp_path: Path) -> None:
    actor = Actor("bob@example.com", ANN, kind="signed in")
    assert not may_change(actor, settings(tmp_path, ANN))


def test_the_machines_user_is_not_what_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = machine_user()
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    assert machine_user() == before != "somebody-else"


def test_a_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
    assert machine_user() == "uid 4000000"


@pytest.mark.parametrize(
    "address",
    ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1", "[::1]", "::ffff:127.0.0.1"],
)
def test_addresses_of_this_machine(address: str) -> None:
    assert is_this_machine(address)


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "0.0.0.0",  # noqa: S104
        "::",
        "10.0.0.5",
        "::ffff:10.0.0.5",
        "localhost.example.com",
        "box",
        "/run/s",
    ],
)
def test_addresses_of_others(address: str | None) -> None:
    assert not is_this_machine(address)


USABLE, UNUSABLE, NONE = SignIn("usable"), SignIn("unusable", "no [auth]"), SignIn("none")


@pytest.mark.parametrize(
    ("sign_in", "address", "open_to_all", "who"),
    [
        (USABLE, "localhost", False, "sign-in"),
        (USABLE, None, False, "sign-in"),
        (USABLE, None, True, "sign-in"),
        (NONE, "localhost", False, "this machine"),
        (NONE, None, False, "nobody"),
        (NONE, "10.0.0.5", False, "nobody"),
        (NONE, None, True, "all"),
        (NONE, "localhost", True, "all"),
        (UNUSABLE, "localhost", False, "nobody"),
        (UNUSABLE, None, False, "nobody"),
        (UNUSABLE, None, True, "all"),
    ],
)
def test_who_may_look(sign_in: SignIn, address: str | None, open_to_all: bool, who: Look) -> None:
    assert who_may_look(sign_in, address, open_to_all) == who
