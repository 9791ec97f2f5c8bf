"""What the store keeps in S3 beside its tables: small texts, each replaced by one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from chargeback.aws.s3 import S3Place, StoredObject
from chargeback.sources.athena.problems import as_problem
from chargeback.sources.athena.settings import AthenaSettings


class StoreObjects:
    """Objects below the store's location; every method raises SourceProblem if S3 refuses."""

    def __init__(self, settings: AthenaSettings) -> None:
        self._place = S3Place(str(settings.store_location), settings.region)
        self._seen: dict[str, StoredObject] = {}

    def get(self, name: str) -> StoredObject | None:
        """The object, if it is there."""
        with _s3_errors():
            return self._place.get(name)

    def all(self, below: str) -> list[bytes]:
        """The objects below a folder, by name; those that did not change are not fetched again."""
        with _s3_errors():
            found = {name: item["ETag"] for name, item in self._place.listed(below)}
        return [each.body for name in sorted(found) if (each := self._current(name, found[name]))]

    def names(self, below: str) -> list[str]:
        """The names of the objects below a folder, oldest first."""
        with _s3_errors():
            found = sorted(self._place.listed(below), key=lambda item: item[1]["LastModified"])
        return [name for name, _ in found]

    def replace(self, name: str, body: bytes, before: StoredObject | None) -> bool:
        """Writes the object unless it is no longer `before`; whether it was written."""
        with _s3_errors():
            return self._place.replace(name, body, before)

    def put(self, name: str, body: bytes) -> None:
        """Writes an object whose name nobody else uses."""
        with _s3_errors():
            self._place.client.put_object(**self._place.address(name), Body=body)

    def delete(self, below: str) -> None:
        """Deletes the objects whose names begin so."""
        with _s3_errors():
            for name, _ in self._place.listed(below):
                self._place.client.delete_object(**self._place.address(name))

    def _current(self, name: str, etag: str) -> StoredObject | None:
        known = self._seen.get(name)
        if known is None or known.etag != etag:
            known = self.get(name)
            if known:
                self._seen[name] = known
        return known


@contextmanager
def _s3_errors() -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError, Boto3Error) as error:
        raise as_problem(error) from error
