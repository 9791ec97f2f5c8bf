"""What the store keeps in S3 beside its tables: small texts, each replaced by one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chargeback.sources.athena.problems import as_problem
from chargeback.sources.athena.settings import AthenaSettings
from chargeback.sources.aws_session import new_session

MISSING = ("NoSuchKey", "404")
FASTER = ("PreconditionFailed", "ConditionalRequestConflict", "412")
"""S3's codes for a conditional write that came too late (Amazon S3 User Guide, "How to prevent
object overwrites with conditional writes")."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object's content, and what S3 calls this version of it."""

    body: bytes
    etag: str


class StoreObjects:
    """Objects below the store's location; every method raises SourceProblem if S3 refuses."""

    def __init__(self, settings: AthenaSettings) -> None:
        self._region = settings.region
        place = str(settings.store_location).removeprefix("s3://")
        self._bucket, _, folder = place.partition("/")
        self._folder = f"{folder.rstrip('/')}/" if folder.strip("/") else ""
        self._seen: dict[str, StoredObject] = {}

    def get(self, name: str) -> StoredObject | None:
        """The object, if it is there."""
        with _s3_errors():
            try:
                answer = self._s3.get_object(Bucket=self._bucket, Key=self._folder + name)
            except ClientError as error:
                if _code(error) in MISSING:
                    return None
                raise
            with closing(answer["Body"]) as body:
                return StoredObject(body.read(), answer["ETag"])

    def all(self, below: str) -> list[bytes]:
        """The objects below a folder, by name; those that did not change are not fetched again."""
        with _s3_errors():
            found = {item["Key"]: item["ETag"] for item in self._listed(below)}
        return [each.body for key in sorted(found) if (each := self._current(key, found[key]))]

    def names(self, below: str) -> list[str]:
        """The names of the objects below a folder, oldest first."""
        with _s3_errors():
            found = sorted(self._listed(below), key=lambda item: item["LastModified"])
        return [item["Key"].removeprefix(self._folder) for item in found]

    def replace(self, name: str, body: bytes, before: StoredObject | None) -> bool:
        """Writes the object unless it is no longer `before`; whether it was written."""
        condition = {"IfMatch": before.etag} if before else {"IfNoneMatch": "*"}
        with _s3_errors():
            try:
                self._s3.put_object(
                    Bucket=self._bucket, Key=self._folder + name, Body=body, **condition
                )
            except ClientError as error:
                if _code(error) in FASTER:
                    return False
                raise
        return True

    def put(self, name: str, body: bytes) -> None:
        """Writes an object whose name nobody else uses."""
        with _s3_errors():
            self._s3.put_object(Bucket=self._bucket, Key=self._folder + name, Body=body)

    def delete(self, below: str) -> None:
        """Deletes the objects whose names begin so."""
        with _s3_errors():
            for item in self._listed(below):
                self._s3.delete_object(Bucket=self._bucket, Key=item["Key"])

    def _current(self, key: str, etag: str) -> StoredObject | None:
        known = self._seen.get(key)
        if known is None or known.etag != etag:
            known = self.get(key.removeprefix(self._folder))
            if known:
                self._seen[key] = known
        return known

    def _listed(self, below: str) -> Iterator[dict[str, Any]]:
        pages = self._s3.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=self._folder + below):
            yield from page.get("Contents", [])

    @cached_property
    def _s3(self) -> Any:  # noqa: ANN401  (boto3 makes its clients' classes while it runs)
        config = Config(connect_timeout=10, retries={"mode": "standard", "total_max_attempts": 4})
        return new_session(region_name=self._region).client("s3", config=config)


def _code(error: ClientError) -> str:
    code: str = error.response["Error"]["Code"]
    return code


@contextmanager
def _s3_errors() -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError, Boto3Error) as error:
        raise as_problem(error) from error
