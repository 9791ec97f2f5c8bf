"""Typed settings: chargeback.toml, overridden by CHARGEBACK_* in the environment."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import (
    Field,
    ValidationError,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from chargeback.access.change import AccessSettings
from chargeback.attribution.rules import AttributionRules
from chargeback.errors import UsageProblem
from chargeback.ledger.ledger import S3_LOCATION, Ledger, S3Location, open_ledger
from chargeback.settings_file import read_config
from chargeback.settings_problems import not_allowed, not_json
from chargeback.sources.athena.settings import AthenaSettings
from chargeback.sources.bill_settings import BillSettings, DefaultBasis
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.close_settings import CloseSettings
from chargeback.statement.journal.settings import JournalSettings
from chargeback.statement.unit_settings import StatementSettings
from chargeback.store.settings import StoreSettings, spelled_out

DATA = Path("data")

HOST = re.compile(r"[\w-]+(\.[\w-]+)*\.?|\[[0-9a-fA-F:.]+\]")
"""A name or an address as it stands in a browser's address bar, without a port."""


if TYPE_CHECKING:

    class _Store:
        """What type checkers see of the section: a text or a path may be given for it."""

        def __get__(self, settings: object, owner: object = None) -> StoreSettings: ...

        def __set__(self, settings: object, value: StoreSettings | Path | str | None) -> None: ...

else:
    _Store = StoreSettings


class Settings(BaseSettings):
    """Everything that can be set. With neither `cur` nor `athena`, the demo bill is shown."""

    model_config = SettingsConfigDict(
        env_prefix="CHARGEBACK_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="forbid",
    )

    cur: Path | None = None
    """Folder of a CUR 2.0 export on disk, in AWS's own layout."""
    store: _Store = Field(default_factory=_Store)
    """Where the spend store lives, and what it keeps as one; a text is its location."""
    athena: AthenaSettings | None = None
    cost_basis: DefaultBasis = "auto"
    """What the bill is the sum of; `auto` finds it for each period."""
    bill: BillSettings = Field(default_factory=BillSettings)
    attribution: AttributionRules = Field(default_factory=AttributionRules)
    allocation: AllocationSettings = Field(default_factory=AllocationSettings)
    statement: StatementSettings = Field(default_factory=StatementSettings)
    close: CloseSettings = Field(default_factory=CloseSettings)
    journal: JournalSettings = Field(default_factory=JournalSettings)
    open_to_all: bool = False
    """Whoever reaches the server sees the bill, where no sign-in that can be used is set up."""
    hosts: list[str] = Field(default_factory=list)
    """Names under which the server is reached, beside localhost and the address it listens on."""
    access: AccessSettings = Field(default_factory=AccessSettings)
    ledger: S3Location | Path | None = None
    """Where the ledger lies: a folder, or s3://bucket/prefix; None: data/demo/ledger for the demo,
    data/ledger otherwise."""

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
    def _is_place(cls, ledger: object) -> object:
        text = str(ledger)
        if text.lower().startswith("s3:") and not re.match(S3_LOCATION, text):
            raise ValueError("a place in S3 is named s3://bucket/prefix")
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
        given = getattr(init_settings, "init_kwargs", {})
        return (
            InitSettingsSource(settings_cls, spelled_out(given)),
            _Environment(settings_cls),
            InitSettingsSource(settings_cls, spelled_out(read_config())),
        )

    @property
    def is_demo(self) -> bool:
        """Whether no bill is configured, so that the demo bill is shown."""
        return self.cur is None and self.athena is None

    @property
    def store_folder(self) -> Path:
        """Where the spend store lives, or what of it has to be on this machine."""
        if isinstance(self.store.location, Path):
            return self.store.location
        return demo_folder() / "store" if self.is_demo else DATA / "store"

    @property
    def ledger_location(self) -> Path | str:
        """Where the ledger lies: a folder, or s3://bucket/prefix."""
        if self.ledger is not None:
            return self.ledger
        return demo_folder() / "ledger" if self.is_demo else DATA / "ledger"

    def open_ledger(self) -> Ledger:
        """What stands for ever; cheap, nothing is read or made yet."""
        return open_ledger(self.ledger_location, locks=self.store_folder)


class _Environment(EnvSettingsSource):
    """CHARGEBACK_STORE is a location, or the section as JSON; CHARGEBACK_STORE__… join it."""

    def prepare_field_value(
        self,
        field_name: str,
        field: FieldInfo,
        value: Any,  # noqa: ANN401  (pydantic's own)
        value_is_complex: bool,
    ) -> Any:  # noqa: ANN401
        """The value of a setting, with what variables say of its parts."""
        if field_name != "store" or not value or value.lstrip().startswith("{"):
            return super().prepare_field_value(field_name, field, value, value_is_complex)
        parts = super().prepare_field_value(field_name, field, None, value_is_complex) or {}
        if parts.get("location", value) != value:
            raise UsageProblem(
                "Two places are set for the spend store: CHARGEBACK_STORE and "
                "CHARGEBACK_STORE__LOCATION.",
                todo="Keep one of them.",
            )
        return {**parts, "location": value}


def demo_folder() -> Path:
    """Where the demo bill is written when nothing is configured."""
    return DATA / "demo"


def load_settings() -> Settings:
    """The settings in force.

    Raises:
        UsageProblem: chargeback.toml can't be read, a key or a value is not allowed, or settings
            contradict each other.
    """
    try:
        settings = Settings()
    except SettingsError as error:
        raise not_json(error) from error
    except ValidationError as error:
        raise not_allowed(error, Settings) from error
    if settings.cur is not None and settings.athena is not None:
        raise UsageProblem(
            "Two bills are configured: a folder (cur) and a table (athena).",
            todo="Keep one: unset CHARGEBACK_CUR, or remove the [athena] section.",
        )
    if settings.store.is_in_athena and not (settings.athena and settings.athena.store_location):
        raise UsageProblem(
            "The spend store is to be kept in Athena, but no location is set.",
            todo='Set store_location = "s3://bucket/folder/" in the [athena] section, or make '
            "`store` a folder.",
        )
    if settings.store.fold_sessions_above is not None and "principal" in settings.close.by:
        raise UsageProblem(
            "Months are closed by principal, which charges each session of a role on its own, but "
            "sessions are to be kept as one.",
            todo="Take principal out of `by` in the section [close], or fold_sessions_above out of "
            "the section [store].",
        )
    _keep_apart(settings)
    return settings


def _keep_apart(settings: Settings) -> None:
    """The store is made anew from the bill and may be deleted; the ledger may not."""
    if settings.ledger is not None and _is_in_store(settings.ledger, settings):
        raise UsageProblem(
            "The ledger is set to a place within the spend store.",
            todo="Make `ledger` (CHARGEBACK_LEDGER) a place beside it.",
        )


def _is_in_store(ledger: Path | str, settings: Settings) -> bool:
    if isinstance(ledger, Path):
        return ledger.resolve().is_relative_to(settings.store_folder.resolve())
    in_s3 = settings.athena.store_location if settings.athena else None
    return in_s3 is not None and f"{ledger.rstrip('/')}/".startswith(f"{in_s3.rstrip('/')}/")
