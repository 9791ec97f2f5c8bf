"""Whether a month in an Athena table is one whole delivery, told from S3 without a query.

Athena reads every file below a partition. AWS writes the manifest of a delivery after its data
files and recommends going by its list (Data Exports User Guide, "Export delivery"): a file newer
than the manifest, or a named one that is not there, is a delivery being written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chargeback.aws.session import new_session
from chargeback.errors import SourceProblem
from chargeback.notices import Notice, notice
from chargeback.sources.athena.settings import AthenaSettings
from chargeback.sources.delivery_manifest import below_partition, parse_manifest

METADATA, MANIFEST = "metadata/", "-Manifest.json"
SHOWN = 3
"""File names in a message."""


class DeliveryUnknown(Exception):  # noqa: N818  (nothing failed: it can't be known)
    """Whether a delivery is whole can't be told; says why."""


@dataclass(frozen=True, slots=True)
class _Object:
    key: str
    written: datetime

    @property
    def folder(self) -> str:
        return self.key.rpartition("/")[0]

    @property
    def name(self) -> str:
        return self.key.rpartition("/")[2]


@dataclass(frozen=True)
class AthenaDelivery:
    """The files of a CUR 2.0 table whose export lies in S3 in AWS's own layout."""

    settings: AthenaSettings

    def check(self, month: str) -> tuple[Notice, ...]:
        """What Athena would read of a month that its delivery's manifest does not name.

        Raises:
            SourceProblem: the delivery is being written.
            Unchecked: S3 or Glue may not be asked, or there is no manifest.
        """
        try:
            return self._check(month)
        except (ClientError, BotoCoreError) as error:
            raise DeliveryUnknown(_words(error)) from error

    def _check(self, month: str) -> tuple[Notice, ...]:
        bucket, export = self._export
        found = self._manifest(bucket, export, month)
        body = self._s3.get_object(Bucket=bucket, Key=found.key)["Body"].read()
        manifest = parse_manifest(body, found.name, month)
        there = {below_partition(each.key): each for each in self._data(bucket, export, month)}
        named, missing = manifest.named(there)
        late = [each.name for each in named if each.written > found.written]
        if late or missing:
            raise _being_written(month, sorted({*late, *missing}))
        folders = {each.folder for each in named}
        return tuple(
            _not_named([e for e in there.values() if e not in named and e.folder in folders])
        )

    @cached_property
    def _export(self) -> tuple[str, str]:
        """The bucket, and the key below which the export's data and metadata lie."""
        glue = self._session.client("glue", config=_CONFIG)
        table = glue.get_table(DatabaseName=self.settings.database, Name=self.settings.table)
        location = table["Table"].get("StorageDescriptor", {}).get("Location", "")
        bucket, _, key = location.removeprefix("s3://").partition("/")
        export, found, _ = f"{key.rstrip('/')}/".rpartition("data/")
        if not found:
            raise DeliveryUnknown("the table's location is not the data folder of an export")
        return bucket, export

    def _manifest(self, bucket: str, export: str, month: str) -> _Object:
        folder = f"{export}{METADATA}BILLING_PERIOD={month}/"
        found = [each for each in self._listed(bucket, folder) if each.key.endswith(MANIFEST)]
        if not found:
            raise DeliveryUnknown(f"there is no manifest of {month}")
        return max(found, key=lambda each: each.written)

    def _data(self, bucket: str, export: str, month: str) -> Iterator[_Object]:
        folder = f"{export}data/BILLING_PERIOD={month}/"
        return (e for e in self._listed(bucket, folder) if e.key.lower().endswith(".parquet"))

    def _listed(self, bucket: str, below: str) -> Iterator[_Object]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=below)
        for page in pages:
            for item in page.get("Contents", []):
                yield _Object(item["Key"], item["LastModified"])

    @cached_property
    def _s3(self) -> Any:  # noqa: ANN401  (boto3 makes its clients' classes while it runs)
        return self._session.client("s3", config=_CONFIG)

    @property
    def _session(self) -> Session:
        return new_session(region_name=self.settings.region)


_CONFIG = Config(connect_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})


def _words(error: Exception) -> str:
    if isinstance(error, ClientError):
        return f"AWS answers {error.response['Error']['Code']} to {error.operation_name}"
    return "AWS can't be reached"


def _being_written(month: str, files: list[str]) -> SourceProblem:
    names = ", ".join(files[:SHOWN])
    return SourceProblem(
        f"A delivery of {month} is being written: its manifest does not cover {names}.",
        "That month is not brought up to date; figures read earlier stay as they were.",
        "AWS writes the manifest last: try again in a few minutes.",
    )


def _not_named(files: list[_Object]) -> Iterator[Notice]:
    if files:
        names = ", ".join(sorted(each.name for each in files)[:SHOWN])
        more = f" and {len(files) - SHOWN:,} more" if len(files) > SHOWN else ""
        yield notice("files-not-named", files=names + more)
