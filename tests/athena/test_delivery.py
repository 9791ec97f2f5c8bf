"""A month in an Athena table is held against the manifest of its delivery, in S3 and Glue."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import boto3
import pytest

from chargeback.errors import SourceProblem
from chargeback.sources.athena.delivery import AthenaDelivery, DeliveryUnknown
from chargeback.sources.delivery_manifest import below_partition, parse_manifest
from tests.athena.conftest import SETTINGS as BILLING
from tests.athena.conftest import TABLE, Athena
from tests.athena.server import REGION

DATABASE = "deliveries"
"""Of this file alone: services of one process share what lies in Glue."""
SETTINGS = BILLING.model_copy(update={"database": DATABASE})
MONTH, EXPORT = "2026-10", "exports/bedrock"
DATA = f"{EXPORT}/data/BILLING_PERIOD={MONTH}"
METADATA = f"{EXPORT}/metadata/BILLING_PERIOD={MONTH}"


@dataclass(frozen=True)
class Bucket:
    """The bucket of an export; what is put later is newer."""

    s3: Any
    name: str

    def put(self, key: str, body: bytes = b"") -> None:
        self.s3.put_object(Bucket=self.name, Key=key, Body=body)

    def written(self, key: str) -> datetime:
        listed = self.s3.list_objects_v2(Bucket=self.name, Prefix=key)
        written: datetime = listed["Contents"][0]["LastModified"]
        return written

    def name_files(self, *files: str) -> None:
        """AWS's manifest of a delivery that is these files."""
        places = [f"s3://{self.name}/{DATA}/{file}" for file in files]
        self.put(f"{METADATA}/bedrock-Manifest.json", json.dumps({"dataFiles": places}).encode())


@pytest.fixture
def bucket(athena: Athena, request: pytest.FixtureRequest) -> Iterator[Bucket]:
    """An empty export's bucket, and its table in Glue."""
    name = f"bill-{abs(hash(request.node.name))}"
    s3 = athena.service.s3
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    glue = boto3.client("glue", region_name=REGION)
    glue.create_database(DatabaseInput={"Name": DATABASE})
    location = {"Location": f"s3://{name}/{EXPORT}/data/"}
    glue.create_table(
        DatabaseName=DATABASE, TableInput={"Name": TABLE, "StorageDescriptor": location}
    )
    yield Bucket(s3, name)
    glue.delete_table(DatabaseName=DATABASE, Name=TABLE)
    glue.delete_database(Name=DATABASE)


def test_a_whole_delivery_is_fine(bucket: Bucket) -> None:
    bucket.put(f"{DATA}/a.snappy.parquet")
    bucket.put(f"{DATA}/b.snappy.parquet")
    bucket.name_files("a.snappy.parquet", "b.snappy.parquet")

    assert AthenaDelivery(SETTINGS).check(MONTH) == ()


def test_a_file_that_the_manifest_does_not_name_blocks_the_close(bucket: Bucket) -> None:
    bucket.put(f"{DATA}/a.snappy.parquet")
    bucket.put(f"{DATA}/copy of a.snappy.parquet")
    bucket.name_files("a.snappy.parquet")

    (notice,) = AthenaDelivery(SETTINGS).check(MONTH)

    assert notice.code == "files-not-named"
    assert notice.blocks_close
    assert "copy of a.snappy.parquet" in notice.words


def test_a_named_file_that_is_not_there_is_a_delivery_being_written(bucket: Bucket) -> None:
    bucket.put(f"{DATA}/a.snappy.parquet")
    bucket.name_files("a.snappy.parquet", "b.snappy.parquet")

    with pytest.raises(SourceProblem, match=r"being written.* b\.snappy"):
        AthenaDelivery(SETTINGS).check(MONTH)


def test_a_file_newer_than_the_manifest_is_a_delivery_being_written(bucket: Bucket) -> None:
    bucket.name_files("a.snappy.parquet")
    manifest = bucket.written(f"{METADATA}/bedrock-Manifest.json")
    while True:  # S3 tells times in whole seconds: at most one of them
        bucket.put(f"{DATA}/a.snappy.parquet")
        if bucket.written(f"{DATA}/a.snappy.parquet") > manifest:
            break

    with pytest.raises(SourceProblem, match=r"being written.* a\.snappy"):
        AthenaDelivery(SETTINGS).check(MONTH)


@pytest.mark.parametrize("missing", ["manifest", "table"])
def test_what_cannot_be_known_is_told_apart_from_what_is_fine(
    athena: Athena, bucket: Bucket, missing: str
) -> None:
    bucket.put(f"{DATA}/a.snappy.parquet")
    settings = SETTINGS
    if missing == "table":
        bucket.name_files("a.snappy.parquet")
        settings = settings.model_copy(update={"table": "another"})

    with pytest.raises(DeliveryUnknown, match=missing if missing == "manifest" else "GetTable"):
        AthenaDelivery(settings).check(MONTH)


@pytest.mark.parametrize(
    "entry",
    [
        "s3://bucket/exports/bedrock/data/BILLING_PERIOD=2026-10/a.parquet",
        "exports/bedrock/data/BILLING_PERIOD=2026-10/a.parquet",
        {"s3Uri": "s3://bucket/data/BILLING_PERIOD=2026-10/a.parquet"},
    ],
)
@pytest.mark.parametrize("name", ["dataFiles", "reportKeys"])
def test_manifests_name_files_in_several_ways(name: str, entry: object) -> None:
    body = json.dumps({name: [entry]}).encode()

    assert parse_manifest(body, "bedrock-Manifest.json", MONTH).paths == ("a.parquet",)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"dataFiles": 1}', b'{"other": []}', b"\xff"])
def test_what_is_no_manifest_is_said(body: bytes) -> None:
    with pytest.raises(SourceProblem, match=r"can't be read \(bedrock-Manifest\.json: it "):
        parse_manifest(body, "bedrock-Manifest.json", MONTH)


def test_a_delivery_in_a_folder_of_its_own_keeps_that_folder() -> None:
    place = "s3://b/x=y/export/data/BILLING_PERIOD=2026-10/2026-11-02T01:02:03.000Z-b/a.parquet"

    assert below_partition(place) == "2026-11-02T01:02:03.000Z-b/a.parquet"
