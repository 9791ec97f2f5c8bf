"""The objects of moto's S3, for the service beside it in the same process: no request is needed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends


def put(location: str, content: bytes) -> None:
    """Writes an object at s3://bucket/key."""
    _backend().put_object(*_place(location), content)


def sizes(location: str) -> Iterator[tuple[str, int]]:
    """Where each object below a place is, and its bytes; in the order of S3."""
    bucket, prefix = _place(location)
    found, *_ = _backend().list_objects(_backend().get_bucket(bucket), prefix, None, None, None)
    for key in found:
        yield f"s3://{bucket}/{key.name}", key.size


def content(location: str) -> bytes:
    """What an object holds."""
    value: bytes = _backend().get_object(*_place(location)).value
    return value


def _backend() -> Any:  # noqa: ANN401  (moto's types say less than it takes)
    return s3_backends[DEFAULT_ACCOUNT_ID]["aws"]


def _place(location: str) -> tuple[str, str]:
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return bucket, key
