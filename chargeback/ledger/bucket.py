"""A ledger's objects in S3: made by conditional writes, of which S3 lets one win."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from shutil import copyfileobj
from typing import Any, BinaryIO

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from tenacity import retry, retry_if_exception, stop_after_attempt, wait_random_exponential

from chargeback.aws.s3 import CONFLICT, FASTER, MISSING, S3Place, code_of
from chargeback.ledger.bucket_problems import as_problem

PART = 64 * 2**20
"""Bytes of a part of a file that is sent in parts; S3 takes 5 MiB to 5 GiB, at most 10,000 of them
(Amazon S3 User Guide, "Amazon S3 multipart upload limits"): files up to 625 GiB."""
CHECKSUM = "SHA256"
"""Of each part, made by boto3 and looked at by S3."""
GONE = "NoSuchUpload"
"""S3's code where parts were made into an object already."""
MAKER = "made-by"
"""Metadata with a name that whoever makes an object draws for it, once."""


class Bucket:
    """A place in S3. What S3 refuses is a BucketProblem, which is an OSError as well."""

    def __init__(self, location: str) -> None:
        self.s3 = S3Place(location)

    @property
    def place(self) -> str:
        """s3://bucket/prefix."""
        return f"s3://{self.s3.bucket}/{self.s3.folder}".rstrip("/")

    def names(self, prefix: str) -> list[str]:
        """The objects whose names begin with `prefix`, in their order."""
        with s3_problems():
            return sorted(name for name, _ in self.s3.listed(prefix))

    def read(self, name: str) -> bytes:
        """What is in an object."""
        with s3_problems():
            found = self.s3.get(name)
        if found is None:
            raise _missing(name)
        return found.body

    def download(self, name: str, file: Path) -> None:
        """Writes what is in an object into a file."""
        with s3_problems():
            try:
                answer = self.s3.client.get_object(**self.s3.address(name))
            except ClientError as error:
                if code_of(error) in MISSING:
                    raise _missing(name) from error
                raise
            with closing(answer["Body"]) as body, file.open("wb") as opened:
                copyfileobj(body, opened)

    def create(self, name: str, content: bytes | Path) -> bool:
        """Puts an object where there is none of its name.

        boto3 sends again what S3 did not answer. Where S3 had done it all the same, the object is
        there by then: who drew the name in it made it.
        """
        maker = {MAKER: uuid.uuid4().hex}
        with s3_problems():
            try:
                self._put(name, content, maker)
            except ClientError as error:
                code = code_of(error)
                if code in (*FASTER, GONE) and self._maker_of(name) == maker[MAKER]:
                    return True
                if code in FASTER:
                    return False
                raise
        return True

    @retry(
        # S3 can't tell yet who wins: "retry the upload", says its User Guide.
        retry=retry_if_exception(lambda e: isinstance(e, ClientError) and code_of(e) == CONFLICT),
        wait=wait_random_exponential(multiplier=0.1, max=5),
        stop=stop_after_attempt(8),
        reraise=True,
    )
    def _put(self, name: str, content: bytes | Path, maker: dict[str, str]) -> None:
        at = self.s3.address(name)
        if isinstance(content, bytes):
            self.s3.client.put_object(**at, Body=content, Metadata=maker, IfNoneMatch="*")
            return
        with content.open("rb") as file:
            if content.stat().st_size <= PART:
                self.s3.client.put_object(**at, Body=file, Metadata=maker, IfNoneMatch="*")
            else:
                self._put_in_parts(at, file, maker)

    def _put_in_parts(self, at: dict[str, str], file: BinaryIO, maker: dict[str, str]) -> None:
        """The condition is looked at when the parts become an object (CompleteMultipartUpload)."""
        s3 = self.s3.client
        # A bucket with Object Lock takes no part without a checksum.
        begun = s3.create_multipart_upload(**at, Metadata=maker, ChecksumAlgorithm=CHECKSUM)
        upload = at | {"UploadId": begun["UploadId"]}
        try:
            parts = [self._part(upload, *part) for part in enumerate(_parts(file), start=1)]
            s3.complete_multipart_upload(
                **upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
            )
        except BaseException:
            with suppress(ClientError, BotoCoreError):  # the bucket's own rules delete what stays
                s3.abort_multipart_upload(**upload)
            raise

    def _part(self, upload: dict[str, str], number: int, content: bytes) -> dict[str, Any]:
        answer = self.s3.client.upload_part(
            **upload, PartNumber=number, Body=content, ChecksumAlgorithm=CHECKSUM
        )
        told = ("ETag", f"Checksum{CHECKSUM}")
        return {"PartNumber": number, **{name: answer[name] for name in told if name in answer}}

    def _maker_of(self, name: str) -> str | None:
        try:
            made = self.s3.client.head_object(**self.s3.address(name))["Metadata"]
        except ClientError as error:
            if code_of(error) in MISSING:  # somebody is making it, and may fail
                return None
            raise
        return str(made.get(MAKER))


@contextmanager
def s3_problems() -> Iterator[None]:
    """What boto3 raises becomes a BucketProblem."""
    try:
        yield
    except (ClientError, BotoCoreError, Boto3Error) as error:
        raise as_problem(error) from error


def _parts(file: BinaryIO) -> Iterator[bytes]:
    while part := file.read(PART):
        yield part


def _missing(name: str) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
