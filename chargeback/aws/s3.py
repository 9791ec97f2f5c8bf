"""Objects in S3 below one place, written only where nobody else was faster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from chargeback.aws.session import new_session

MISSING = ("NoSuchKey", "404")
CONFLICT = "ConditionalRequestConflict"
FASTER = ("PreconditionFailed", CONFLICT, "412")
"""S3's codes for a conditional write that came too late (Amazon S3 User Guide, "How to prevent
object overwrites with conditional writes")."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object's content, and what S3 calls this version of it."""

    body: bytes
    etag: str


class S3Place:
    """A bucket, or what lies below a prefix in one; names are relative to it.

    Every method raises what boto3 does: ClientError, BotoCoreError.

    Args:
        location: s3://bucket or s3://bucket/prefix.
        region: the bucket's; None for boto3's own.
    """

    def __init__(self, location: str, region: str | None = None) -> None:
        self._region = region
        self.bucket, _, folder = location.removeprefix("s3://").partition("/")
        self.folder = f"{folder.rstrip('/')}/" if folder.strip("/") else ""

    @cached_property
    def client(self) -> Any:  # noqa: ANN401  (boto3 makes its clients' classes while it runs)
        """boto3's, which follows AWS_ENDPOINT_URL."""
        config = Config(connect_timeout=10, retries={"mode": "standard", "total_max_attempts": 4})
        return new_session(region_name=self._region).client("s3", config=config)

    def address(self, name: str) -> dict[str, str]:
        """What S3 is told of an object's place."""
        return {"Bucket": self.bucket, "Key": self.folder + name}

    def get(self, name: str) -> StoredObject | None:
        """The object, if it is there."""
        try:
            answer = self.client.get_object(**self.address(name))
        except ClientError as error:
            if code_of(error) in MISSING:
                return None
            raise
        with closing(answer["Body"]) as body:
            return StoredObject(body.read(), answer["ETag"])

    def replace(self, name: str, body: bytes, before: StoredObject | None) -> bool:
        """Writes the object unless it is no longer `before`; whether it was written."""
        condition = {"IfMatch": before.etag} if before else {"IfNoneMatch": "*"}
        try:
            self.client.put_object(**self.address(name), Body=body, **condition)
        except ClientError as error:
            if code_of(error) in FASTER:
                return False
            raise
        return True

    def listed(self, below: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """What S3 says of the objects whose names begin so, by name, in the order of the names."""
        pages = self.client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self.bucket, Prefix=self.folder + below):
            for item in page.get("Contents", []):
                yield item["Key"].removeprefix(self.folder), item


def code_of(error: ClientError) -> str:
    """S3's word for what it refused."""
    code: str = error.response["Error"]["Code"]
    return code
