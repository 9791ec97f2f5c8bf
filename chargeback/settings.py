"""Typed settings: chargeback.toml, overridden by CHARGEBACK_* in the environment."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from chargeback.errors import UsageProblem
from chargeback.spend.attribution import AttributionRules

CONFIG_FILE = "chargeback.toml"
DATA = Path("data")

CostBasis = Literal["auto", "unblended", "net"]


class AthenaSettings(BaseModel):
    """Where the CUR 2.0 table lies in Athena. Credentials and endpoints are boto3's own affair."""

    model_config = ConfigDict(extra="forbid")

    database: str
    table: str
    workgroup: str = "primary"
    catalog: str = "AwsDataCatalog"
    s3_staging_dir: str | None = None
    region: str | None = None


class Settings(BaseSettings):
    """Everything that can be set. With neither `cur` nor `athena`, the demo bill is shown."""

    model_config = SettingsConfigDict(
        env_prefix="CHARGEBACK_",
        env_nested_delimiter="__",
        toml_file=CONFIG_FILE,
        extra="forbid",
    )

    cur: Path | None = None
    """Folder of a CUR 2.0 export on disk, in AWS's own layout."""
    store: Path | None = None
    """Folder of the spend store; None: data/demo/store for the demo, data/store otherwise."""
    athena: AthenaSettings | None = None
    cost_basis: CostBasis = "auto"
    """What the bill is the sum of; `auto` finds it for each period."""
    attribution: AttributionRules = Field(default_factory=AttributionRules)

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
        """Where the spend store lives."""
        return self.store or (demo_folder() / "store" if self.is_demo else DATA / "store")


def demo_folder() -> Path:
    """Where the demo bill is written when nothing is configured."""
    return DATA / "demo"


def load_settings() -> Settings:
    """The settings in force.

    Raises:
        UsageProblem: a key or a value is not allowed, or two bills are configured.
    """
    try:
        settings = Settings()
    except tomllib.TOMLDecodeError as error:
        raise UsageProblem(f"{CONFIG_FILE} is not valid TOML: {error}.") from error
    except ValidationError as error:
        raise UsageProblem(
            _explain(error), todo=f"Correct {CONFIG_FILE} or the environment."
        ) from error
    if settings.cur is not None and settings.athena is not None:
        raise UsageProblem(
            "Two bills are configured: a folder (cur) and a table (athena).",
            todo="Keep one: unset CHARGEBACK_CUR, or remove the [athena] section.",
        )
    return settings


def _explain(error: ValidationError) -> str:
    places = (
        f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()
    )
    return "A setting is not allowed: " + "; ".join(places) + "."
