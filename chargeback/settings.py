"""Typed settings: chargeback.toml, overridden by CHARGEBACK_* in the environment."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from chargeback.access import AccessSettings
from chargeback.errors import UsageProblem
from chargeback.spend.attribution import AttributionRules

CONFIG_FILE = "chargeback.toml"
DATA = Path("data")

LISTS = ("CHARGEBACK_ATTRIBUTION", "CHARGEBACK_HOSTS", "CHARGEBACK_ACCESS")
"""The variables that hold lists, as JSON."""
HOST = re.compile(r"[\w-]+(\.[\w-]+)*\.?|\[[0-9a-fA-F:.]+\]")
"""A name or an address as it stands in a browser's address bar, without a port."""

CostBasis = Literal["auto", "unblended", "net"]


class AthenaSettings(BaseModel):
    """Where the CUR 2.0 table lies in Athena. Credentials and endpoints are boto3's own affair."""

    model_config = ConfigDict(extra="forbid")

    database: str
    table: str
    workgroup: str = "primary"
    catalog: str = "AwsDataCatalog"
    s3_staging_dir: str | None = None
    store_location: str | None = Field(default=None, pattern=r"^s3://[a-z0-9][a-z0-9.-]+(/.*)?$")
    """Where `store = "athena"` keeps the spend: s3://bucket/folder/."""
    region: str | None = None
    timeout_seconds: int = Field(default=1800, gt=0)
    """A query that takes longer is cancelled. Athena's own limit is 30 minutes too, unless raised
    (Athena User Guide, "Service Quotas", DML query timeout)."""


class Settings(BaseSettings):
    """Everything that can be set. With neither `cur` nor `athena`, the demo bill is shown."""

    model_config = SettingsConfigDict(
        env_prefix="CHARGEBACK_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        toml_file=CONFIG_FILE,
        extra="forbid",
    )

    cur: Path | None = None
    """Folder of a CUR 2.0 export on disk, in AWS's own layout."""
    store: Literal["athena"] | Path | None = None
    """Folder of the spend store; None: data/demo/store for the demo, data/store otherwise;
    'athena': tables in Athena."""
    athena: AthenaSettings | None = None
    cost_basis: CostBasis = "auto"
    """What the bill is the sum of; `auto` finds it for each period."""
    attribution: AttributionRules = Field(default_factory=AttributionRules)
    open_to_all: bool = False
    """Whoever reaches the server sees the bill, where no sign-in that can be used is set up."""
    hosts: list[str] = Field(default_factory=list)
    """Names under which the server is reached, beside localhost and the address it listens on."""
    access: AccessSettings = Field(default_factory=AccessSettings)
    ledger: Path | None = None
    """Folder of the ledger; None: data/demo/ledger for the demo, data/ledger otherwise."""

    @field_validator("hosts")
    @classmethod
    def _are_names(cls, hosts: list[str]) -> list[str]:
        if wrong := [host for host in hosts if not HOST.fullmatch(host)]:
            raise ValueError(
                f"{', '.join(map(repr, wrong))}: a host is a name without scheme, port or *, "
                "such as 'finance.example.com'"
            )
        return hosts

    @field_validator("ledger", mode="before")
    @classmethod
    def _is_folder(cls, ledger: object) -> object:
        if str(ledger).lower().startswith("s3:"):
            raise ValueError("a ledger in S3 is not supported yet: name a folder")
        return ledger

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, the environment over the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def is_demo(self) -> bool:
        """Whether no bill is configured, so that the demo bill is shown."""
        return self.cur is None and self.athena is None

    @property
    def store_folder(self) -> Path:
        """Where the spend store lives, or what of it has to be on this machine."""
        if isinstance(self.store, Path):
            return self.store
        return demo_folder() / "store" if self.is_demo else DATA / "store"

    @property
    def ledger_folder(self) -> Path:
        """Where the ledger lives."""
        if self.ledger is not None:
            return self.ledger
        return demo_folder() / "ledger" if self.is_demo else DATA / "ledger"


def demo_folder() -> Path:
    """Where the demo bill is written when nothing is configured."""
    return DATA / "demo"


def load_settings() -> Settings:
    """The settings in force.

    Raises:
        UsageProblem: a key or a value is not allowed, or settings contradict each other.
    """
    try:
        settings = Settings()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageProblem(f"{CONFIG_FILE} is not valid TOML: {error}.") from error
    except SettingsError as error:
        # Of the variables only those of lists are read as JSON.
        names = ", ".join(name for name in os.environ if name.startswith(LISTS))
        raise UsageProblem(
            f"{names}: not valid JSON.",
            todo='Write lists as JSON, such as ["iamPrincipal/team"].',
        ) from error
    except ValidationError as error:
        raise UsageProblem(_explain(error), todo="Correct it, and start again.") from error
    if settings.cur is not None and settings.athena is not None:
        raise UsageProblem(
            "Two bills are configured: a folder (cur) and a table (athena).",
            todo="Keep one: unset CHARGEBACK_CUR, or remove the [athena] section.",
        )
    if settings.store == "athena" and not (settings.athena and settings.athena.store_location):
        raise UsageProblem(
            "The spend store is to be kept in Athena, but it is not said where.",
            todo='Set store_location = "s3://bucket/folder/" in the [athena] section, or make '
            "`store` a folder.",
        )
    _keep_apart(settings)
    return settings


def _keep_apart(settings: Settings) -> None:
    """The store is made anew from the bill and may be deleted; the ledger may not."""
    if settings.ledger is None:
        return
    if settings.ledger.resolve().is_relative_to(settings.store_folder.resolve()):
        raise UsageProblem(
            "The ledger is to be kept within the spend store.",
            todo="Make `ledger` (CHARGEBACK_LEDGER) a folder beside it.",
        )


def _explain(error: ValidationError) -> str:
    """Each wrong setting once: where it stands, and what is allowed."""
    said: dict[str, list[str]] = {}
    # Of a source of attribution that is none of the four kinds, only the kind it looks like counts.
    for item in sorted(error.errors(), key=lambda item: item["type"] == "model_type"):
        keys = _keys(item["loc"])
        messages = said.setdefault(f"{_place(keys)} {'.'.join(keys)}", [])
        if item["type"] != "model_type" or not messages:
            said_of_it = item["msg"].removeprefix("Value error, ")
            messages.append(_allowed(keys) if item["type"] == "extra_forbidden" else said_of_it)
    settings = (f"{place}: {', '.join(dict.fromkeys(said[place]))}" for place in said)
    return f"A setting is not allowed: {'; '.join(settings)}."


def _keys(loc: Sequence[int | str]) -> list[str]:
    """The keys as they are written; pydantic also names the kinds of value that it tried."""
    return list(takewhile(lambda key: key.isidentifier() and key.islower(), map(str, loc)))


def _place(keys: Sequence[str]) -> str:
    variable = "CHARGEBACK_" + "__".join(keys).upper()
    if variable in os.environ:
        return f"{variable},"
    line = _line_of(keys)
    return f"{CONFIG_FILE}, line {line}," if line else f"{CONFIG_FILE},"


def _line_of(keys: Sequence[str]) -> int:
    """The line of chargeback.toml in which a key is set; 0 if it isn't."""
    table: list[str] = []
    lines = Path(CONFIG_FILE).read_text("utf-8").splitlines() if Path(CONFIG_FILE).exists() else []
    for number, line in enumerate(lines, start=1):
        if header := re.match(r"\s*\[([\w.]+)\]", line):
            table = header[1].split(".")
        elif (key := re.match(r"\s*([\w.]+)\s*=", line)) and [*table, *key[1].split(".")] == keys:
            return number
    return 0


def _allowed(keys: Sequence[str]) -> str:
    """What may stand in place of an unknown key."""
    sections: dict[str, type[BaseModel]] = {
        "access": AccessSettings,
        "athena": AthenaSettings,
        "attribution": AttributionRules,
    }
    section = sections.get(keys[0], Settings)
    return f"there is no such setting; allowed are {', '.join(section.model_fields)}"
