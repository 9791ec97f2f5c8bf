"""Streamlit's secrets files: whether they set up sign-in, and if not, why."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

HOME = Path(os.path.expanduser("~"))  # noqa: PTH111  (Path.home fails for a user without a home)
PLACES = (HOME / ".streamlit" / "secrets.toml", Path(".streamlit", "secrets.toml"))
"""Where Streamlit looks unless `secrets.files` says otherwise; a later file wins."""
GENERAL = ("redirect_uri", "cookie_secret")
PROVIDER = ("client_id", "client_secret", "server_metadata_url")
"""What Streamlit needs to sign somebody in (`st.login`)."""
OPTIONS = "client_kwargs"
"""A table in [auth] that is no provider."""
CALLBACK = "/oauth2callback"


@dataclass(frozen=True)
class SignIn:
    """What the secrets files say of sign-in. Any file that is there must set it up."""

    state: Literal["none", "usable", "unusable"]
    why: str = ""
    """Why it can't be used, without a secret; for the owner."""
    providers: tuple[str, ...] = ()
    """Whom one may sign in with; '' is the one without a name."""
    comes_back_to: str = ""
    """The host that the provider sends people back to."""


class _UnusableError(Exception):
    """Why sign-in can't be used."""


def read_sign_in(files: Sequence[Path] = PLACES) -> SignIn:
    """Whether the secrets files set up sign-in."""
    there = [file for file in files if os.path.lexists(file)]
    if not there:
        return SignIn("none")
    try:
        auth = _auth(there)
        return SignIn("usable", "", _providers(auth), _host(auth["redirect_uri"]))
    except _UnusableError as why:
        return SignIn("unusable", str(why))


def is_readable(files: Sequence[Path] = PLACES) -> bool:
    """Whether every secrets file that is there can be read, whatever it says."""
    try:
        for file in files:
            if os.path.lexists(file):
                _read(file)
    except _UnusableError:
        return False
    return True


def _auth(files: Sequence[Path]) -> Mapping[str, Any]:
    """The section [auth], with what every sign-in needs."""
    said: dict[str, Any] = {}
    for file in files:
        said |= _read(file)
    auth = said.get("auth")
    if not isinstance(auth, dict) or not auth:
        raise _UnusableError(f"{' and '.join(map(str, files))} has no section [auth]")
    _require(auth, GENERAL, "[auth]")
    return auth


def _read(file: Path) -> Mapping[str, Any]:
    try:
        if _is_folder_of_secrets(file):
            return {section.name: _values(section) for section in file.iterdir()}
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise _UnusableError(f"{file} can't be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise _UnusableError(f"{file} is not UTF-8") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _UnusableError(f"{file} is not valid TOML ({error})") from error


def _is_folder_of_secrets(file: Path) -> bool:
    """As Kubernetes mounts them: a folder for each section, a file for each key."""
    return file.suffix != ".toml" and file.is_dir()


def _values(section: Path) -> Mapping[str, str]:
    return {key.name: key.read_text("utf-8").strip() for key in section.iterdir() if key.is_file()}


def _providers(auth: Mapping[str, Any]) -> tuple[str, ...]:
    """The providers, each of them complete."""
    tables = {name: section for name, section in auth.items() if isinstance(section, dict)}
    named = {name: section for name, section in tables.items() if name != OPTIONS}
    unnamed = {"": auth} if any(key in auth for key in PROVIDER) or not named else {}
    for name, section in (unnamed | named).items():
        _require(section, PROVIDER, f"[auth.{name}]" if name else "[auth]")
    if wrong := [name for name in named if "_" in name]:
        raise _UnusableError(f"a provider's name has an underscore: {', '.join(wrong)}")
    return tuple(unnamed | named)


def _require(section: Mapping[str, Any], keys: Sequence[str], name: str) -> None:
    if missing := list(_missing(section, keys)):
        raise _UnusableError(f"{name} lacks {', '.join(missing)}")


def _missing(section: Mapping[str, Any], keys: Sequence[str]) -> Iterator[str]:
    for key in keys:
        value = section.get(key)
        if not isinstance(value, str) or not value.strip():
            yield key


def _host(redirect_uri: str) -> str:
    """The host of the dashboard's own address."""
    try:
        # {port} stands for the server's own.
        parts = urlsplit(redirect_uri.replace("{port}", "8501"))
        host = parts.hostname or ""
    except ValueError:
        host = ""
    if not host or parts.scheme not in {"http", "https"} or not parts.path.endswith(CALLBACK):
        raise _UnusableError(f"redirect_uri is not the dashboard's address and {CALLBACK}")
    return host
