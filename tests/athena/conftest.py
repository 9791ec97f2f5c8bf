"""The Athena service, a small demo bill as its table, and the environment that leads there.

Other tests may import these fixtures; what they need is `athena` alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from chargeback.demo import write_demo
from chargeback.settings import Settings
from chargeback.sources.athena.settings import AthenaSettings
from chargeback.workspace import Workspace
from tests.athena.failures import Failures
from tests.athena.server import BUCKET, REGION, AthenaService, Query

TODAY = date(2026, 11, 23)
DATABASE, TABLE, WORKGROUP = "billing", "cur2", "chargeback"
SETTINGS = AthenaSettings(database=DATABASE, table=TABLE, workgroup=WORKGROUP, region=REGION)


@dataclass(frozen=True)
class Athena:
    """The service as a test sees it: nothing was asked yet, and nothing goes wrong."""

    service: AthenaService
    cur: Path
    """The export that the table `settings` reads."""
    settings: AthenaSettings
    bucket: str = BUCKET

    @property
    def endpoint(self) -> str:
        """Where Athena and S3 answer."""
        return self.service.endpoint

    @property
    def queries(self) -> list[Query]:
        """The queries run so far."""
        return self.service.queries

    @property
    def failures(self) -> Failures:
        """What is to go wrong."""
        return self.service.failures

    def reading(self, *words: str) -> list[Query]:
        """The queries run so far whose statement contains all of these words."""
        return [query for query in self.queries if all(word in query.sql for word in words)]

    def ends(self, *words: str) -> list[str]:
        """The final states of these queries; waits for those that are still being cancelled."""
        found = self.reading(*words)
        assert all(query.done.wait(60) for query in found)
        return [query.state for query in found]

    def add_table(self, name: str, cur: Path) -> AthenaSettings:
        """A further table over the export below a folder; its settings."""
        self.service.tables[f"{DATABASE}.{name}"] = cur
        return self.settings.model_copy(update={"table": name})


@pytest.fixture(scope="session")
def athena_cur(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three months of a demo bill, about a thousand lines each; the oldest with net costs."""
    folder = tmp_path_factory.mktemp("athena") / "cur"
    write_demo(folder, today=TODAY, months=3, lines=1200)
    return folder


@pytest.fixture(scope="session")
def athena_service(athena_cur: Path) -> Iterator[AthenaService]:
    with AthenaService() as service:
        service.tables[f"{DATABASE}.{TABLE}"] = athena_cur
        service.workgroups[WORKGROUP] = {"OutputLocation": f"s3://{BUCKET}/workgroup/"}
        yield service


@pytest.fixture
def athena(
    athena_service: AthenaService,
    athena_cur: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Athena]:
    """Athena and S3, which boto3's environment leads to, here and in processes started here."""
    lead_to(athena_service.endpoint, monkeypatch, tmp_path / "nothing")
    athena_service.make_bucket()
    yield Athena(athena_service, athena_cur, SETTINGS)
    athena_service.reset()
    athena_service.tables[f"{DATABASE}.{TABLE}"] = athena_cur


@pytest.fixture(scope="session")
def read_store(athena_service: AthenaService, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The spend store of the whole table, read through Athena once. Copy it before you change it.

    Its billing periods, newest first: 2026-11, 2026-10, 2026-09.
    """
    folder = tmp_path_factory.mktemp("read")
    athena_service.make_bucket()
    with pytest.MonkeyPatch.context() as environment:
        lead_to(athena_service.endpoint, environment, folder / "nothing")
        workspace = Workspace(Settings(athena=SETTINGS, store=folder / "store"))
        workspace.refresh()
        workspace.answers()  # works out what the lines mean, which is kept beside them
    athena_service.reset()
    return folder / "store"


@pytest.fixture
def store(read_store: Path, tmp_path: Path) -> Path:
    """A copy of the store that was read."""
    return shutil.copytree(read_store, tmp_path / "store", symlinks=True)


def lead_to(endpoint: str, environment: pytest.MonkeyPatch, nothing: Path) -> None:
    """Makes the environment boto3's for the service, and nobody else's."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "CHARGEBACK_"))]:
        environment.delenv(name)
    values = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": str(nothing),
        "AWS_SHARED_CREDENTIALS_FILE": str(nothing),
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }
    for name, value in values.items():
        environment.setenv(name, value)


def by_environment(settings: AthenaSettings, store: Path) -> dict[str, str]:
    """The environment of a process that is to use the table and the store."""
    given = settings.model_dump(exclude_none=True)
    athena = {f"CHARGEBACK_ATHENA__{name.upper()}": str(value) for name, value in given.items()}
    return {**os.environ, **athena, "CHARGEBACK_STORE": str(store)}


def cli(settings: AthenaSettings, store: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What the command line says over a table and a store."""
    return subprocess.run(
        [sys.executable, "-m", "chargeback", *arguments],
        env=by_environment(settings, store),
        capture_output=True,
        text=True,
        check=False,
    )


def republish(cur: Path, copy: Path, month: str) -> Path:
    """A copy of an export in which AWS has written one month again, a day later."""
    shutil.copytree(cur, copy)
    for file in copy.glob(f"*/data/BILLING_PERIOD={month}/*.parquet"):
        moment = file.stat().st_mtime + 24 * 3600
        os.utime(file, (moment, moment))
    return copy
