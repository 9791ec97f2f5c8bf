"""A secrets file that is there sets up sign-in, or can't be used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chargeback.access.secrets_file import SignIn, is_readable, read_sign_in

GENERAL = """
[auth]
redirect_uri = "https://finance.example.com/oauth2callback"
cookie_secret = "for this test only"
"""
KEYS = """
client_id = "chargeback"
client_secret = "for this test only"
server_metadata_url = "https://login.example.com/.well-known/openid-configuration"
"""


def said(folder: Path, text: str | bytes) -> SignIn:
    file = folder / "secrets.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_sign_in([folder / "none.toml", file])


def test_without_a_file_there_is_no_sign_in(tmp_path: Path) -> None:
    assert read_sign_in([tmp_path / "secrets.toml"]) == SignIn("none")


@pytest.mark.parametrize(
    ("text", "providers"),
    [
        (GENERAL + KEYS, ("",)),
        (GENERAL + KEYS + "[auth.client_kwargs]\nprompt = 'login'\n", ("",)),
        (f"{GENERAL}[auth.entra]{KEYS}", ("entra",)),
        (f"{GENERAL}[auth.entra]{KEYS}[auth.google]{KEYS}", ("entra", "google")),
        (f"{GENERAL}{KEYS}[auth.google]{KEYS}", ("", "google")),
    ],
)
def test_complete_sections_are_usable(
    tmp_path: Path, text: str, providers: tuple[str, ...]
) -> None:
    assert said(tmp_path, text) == SignIn("usable", "", providers, "finance.example.com")


def test_the_port_may_be_left_to_the_server(tmp_path: Path) -> None:
    text = (GENERAL + KEYS).replace("https://finance.example.com", "http://localhost:{port}")
    assert said(tmp_path, text) == SignIn("usable", "", ("",), "localhost")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no section"),
        ("# [auth]\n# client_id = 'a'\n", "no section"),
        ((GENERAL + KEYS).replace("[auth]", "[Auth]"), "no section"),
        ((GENERAL + KEYS).replace("[auth]", "[oauth]"), "no section"),
        ("auth = 'yes'\n", "no section"),
        ("[auth]\n", "no section"),
        ("[auth", "not valid TOML"),
        ("a = " + "[" * 100_000, "not valid TOML"),
        (b"\xff\xfe[\0a\0", "not UTF-8"),
        (GENERAL, "lacks client_id, client_secret, server_metadata_url"),
        (KEYS.replace("\n", "\n[auth]\n", 1), "lacks redirect_uri, cookie_secret"),
        ((GENERAL + KEYS).replace("for this test only", " ", 1), "lacks cookie_secret"),
        ((GENERAL + KEYS).replace('"chargeback"', "7"), "lacks client_id"),
        ((GENERAL + KEYS).replace("client_secret", "client_secrets"), "lacks client_secret"),
        (f"{GENERAL}[auth.entra]\nclient_id = 'a'\n", r"\[auth.entra\] lacks client_secret"),
        (f"{GENERAL}{KEYS}[auth.entra]\nclient_id = 'a'\n", r"\[auth.entra\] lacks client_secret"),
        (f"{GENERAL}[auth.my_own]{KEYS}", "underscore: my_own"),
        ((GENERAL + KEYS).replace("/oauth2callback", "/"), "redirect_uri is not"),
        ((GENERAL + KEYS).replace("https://finance.example.com", ""), "redirect_uri is not"),
        ((GENERAL + KEYS).replace("https://finance.", "https://["), "redirect_uri is not"),
    ],
)
def test_whatever_is_wrong_makes_it_unusable(tmp_path: Path, text: str | bytes, why: str) -> None:
    sign_in = said(tmp_path, text)
    assert sign_in.state == "unusable"
    assert sign_in.providers == ()
    with pytest.raises(ValueError, match=why):
        raise ValueError(sign_in.why)
    assert "for this test only" not in sign_in.why


def test_what_is_no_file_is_unusable(tmp_path: Path) -> None:
    dangling, folder = tmp_path / "link.toml", tmp_path / "folder.toml"
    dangling.symlink_to(tmp_path / "nowhere")
    folder.mkdir()
    for path in (dangling, folder):
        assert read_sign_in([path]).state == "unusable"
        assert not is_readable([path])


def test_one_broken_file_among_two_is_enough(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(GENERAL + KEYS)
    bad.write_text("[")
    assert read_sign_in([bad, good]).state == "unusable"
    assert read_sign_in([good]).state == "usable"


def test_files_add_up(tmp_path: Path) -> None:
    other, ours = tmp_path / "other.toml", tmp_path / "ours.toml"
    other.write_text("token = 'of another app'\n")
    ours.write_text(GENERAL + KEYS)
    assert read_sign_in([other, ours]).state == "usable"
    assert read_sign_in([other]).state == "unusable"
    assert is_readable([other])


def test_a_folder_as_kubernetes_mounts_it_is_read(tmp_path: Path) -> None:
    section = tmp_path / "secrets" / "auth"
    section.mkdir(parents=True)
    for line in (GENERAL + KEYS).splitlines():
        if " = " in line:
            key, _, value = line.partition(" = ")
            (section / key).write_text(value.strip('"') + "\n")
    assert read_sign_in([tmp_path / "secrets"]).state == "usable"
    (section / "client_id").unlink()
    assert read_sign_in([tmp_path / "secrets"]).state == "unusable"
    os.mkfifo(tmp_path / "secrets" / "no-folder")
    assert read_sign_in([tmp_path / "secrets"]).state == "unusable"
