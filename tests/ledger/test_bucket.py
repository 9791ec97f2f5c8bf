"""A ledger in S3: answers that are lost, writers that crash, and what S3 refuses, in words."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chargeback.aws.s3 import S3Place, StoredObject
from chargeback.errors import Problem
from chargeback.ledger import bucket, changes
from chargeback.ledger.bucket import Bucket
from chargeback.ledger.bucket_ledger import BucketLedger
from chargeback.ledger.bucket_problems import BucketProblem, as_problem
from chargeback.ledger.change_lines import CHANGES, HEAD
from chargeback.ledger.ledger import Ledger, open_ledger
from tests.athena.failures import Refusal, expired_credentials
from tests.athena.server import BUCKET, AthenaService

CONFLICT = Refusal(
    "PutObject", "ConditionalRequestConflict", "A conflicting operation", 409, times=3
)
DENIED = Refusal(
    "*",
    "AccessDenied",
    "User: arn:aws:sts::111122223333:assumed-role/x is not authorized to perform: s3:PutObject on "
    f'resource: "arn:aws:s3:::{BUCKET}/ledger"',
    403,
)


@pytest.fixture
def there(location: str, tmp_path: Path) -> Ledger:
    return open_ledger(location, locks=tmp_path / "locks")


def lost(operation: str) -> Refusal:
    """Once, S3 does as it was asked, and its answer is lost."""
    return Refusal(operation, "InternalError", "An internal error", 500, times=1, too_late=True)


def put(s3: AthenaService, there: Ledger, name: str, content: bytes) -> None:
    """What somebody with other means writes."""
    key = f"{there.objects.place.removeprefix(f's3://{BUCKET}/')}/{name}"
    s3.s3.put_object(Bucket=BUCKET, Key=key, Body=content)


def write(there: Ledger, *numbers: int) -> None:
    for number in numbers:
        there.record(who="ann", what="counted", before=number, after=number + 1)


def counted(there: Ledger) -> list[int]:
    return [entry["before"] for entry in there.changes()]


def test_a_whole_bucket_may_be_the_ledger(s3: AthenaService) -> None:
    assert Bucket(f"s3://{BUCKET}").place == f"s3://{BUCKET}"
    assert Bucket(f"s3://{BUCKET}").create("whole.json", b"{}")
    assert s3.s3.get_object(Bucket=BUCKET, Key="whole.json")["Body"].read() == b"{}"


@pytest.mark.parametrize("content", ["bytes", "file", "parts"])
def test_who_made_an_object_knows_it_though_the_answer_was_lost(
    s3: AthenaService, there: Ledger, tmp_path: Path, content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket, "PART", 5 * 2**20 if content == "parts" else bucket.PART)
    file = tmp_path / "file"
    file.write_bytes(os.urandom(7 * 2**20))
    given: Any = b"mine" if content == "bytes" else file
    method = "CompleteMultipartUpload" if content == "parts" else "PutObject"
    s3.failures.plan(lost(method))
    assert there.objects.create("entries/000001.json", given)
    s3.failures.plan(lost(method))
    assert not there.objects.create("entries/000001.json", given)


def test_a_conflict_is_tried_again(s3: AthenaService, there: Ledger) -> None:
    s3.failures.plan(CONFLICT)
    assert there.objects.create("close.json", b"{}")
    assert s3.calls["PutObject"] == 4


def test_large_files_are_sent_in_parts_of_which_nothing_stays_when_somebody_was_faster(
    s3: AthenaService, there: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket, "PART", 5 * 2**20)  # S3's least
    files = [tmp_path / str(number) for number in range(3)]
    for file in files:
        file.write_bytes(os.urandom(11 * 2**20))
    together = Barrier(len(files))

    def make(file: Path) -> bool:
        together.wait()
        return there.objects.create("spend.parquet", file)

    with ThreadPoolExecutor(len(files)) as pool:
        won = list(pool.map(make, files))
    assert won.count(True) == 1
    there.objects.download("spend.parquet", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == files[won.index(True)].read_bytes()
    left = s3.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
    assert _key(there, "spend.parquet") not in [upload["Key"] for upload in left]


def test_a_line_whose_answer_was_lost_stands_once(s3: AthenaService, there: Ledger) -> None:
    for number in range(3):
        s3.failures.plan(lost("PutObject"))
        write(there, number)
    assert counted(there) == [0, 1, 2]
    assert there.verify_changes() is None


class Interrupted(S3Place):
    """Between any two requests of which the first reads, others write two lines; for a while."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.others = BucketLedger(location, Path())
        self.times = 3

    def get(self, name: str) -> StoredObject | None:
        """Reads, and is interrupted after that."""
        found = super().get(name)
        if self.times:
            self.times -= 1
            write(self.others, 100, 101)
        return found


def test_what_others_write_between_two_steps_is_no_fault_and_not_lost(location: str) -> None:
    for ask in (BucketLedger.verify_changes, lambda ledger: write(ledger, 0)):
        ledger = BucketLedger(location, Path())
        ledger.objects.s3 = Interrupted(location)
        assert ask(ledger) is None
        assert ledger.verify_changes() is None
    assert counted(ledger) == [100, 101] * 6 + [0]


@pytest.mark.parametrize("lines", [1, 2])
def test_a_crash_before_the_head_is_written_is_no_fault(
    s3: AthenaService, there: Ledger, lines: int
) -> None:
    write(there, *range(lines - 1))
    before = there.objects.read(HEAD) if lines > 1 else b""
    write(there, lines - 1)
    if before:
        put(s3, there, HEAD, before)
    else:
        s3.s3.delete_object(Bucket=BUCKET, Key=_key(there, HEAD))
    assert there.verify_changes() is None
    write(there, lines)
    assert there.verify_changes() is None
    assert counted(there) == list(range(lines + 1))


def test_what_was_changed_or_cut_off_is_told_and_stays_missed(
    s3: AthenaService, there: Ledger
) -> None:
    write(there, *range(4))
    lines = there.objects.read(CHANGES).splitlines(keepends=True)
    put(s3, there, CHANGES, b"".join(lines).replace(b'"before": 1', b'"before": 9'))
    assert str(there.verify_changes()).startswith("changes.jsonl, line 2: it was changed")
    put(s3, there, CHANGES, b"".join(lines[:2]))
    assert str(there.verify_changes()).endswith("lines that followed it are gone")
    write(there, 5, 6)
    fault = there.verify_changes()
    assert fault is not None
    assert fault.line == 2
    s3.s3.delete_object(Bucket=BUCKET, Key=_key(there, CHANGES))
    assert str(there.verify_changes()) == "changes.jsonl, line 1: the file is gone"


def test_a_line_is_not_written_onto_one_that_has_no_end(s3: AthenaService, there: Ledger) -> None:
    write(there, 0, 1)
    put(s3, there, CHANGES, there.objects.read(CHANGES)[:-1])
    assert str(there.verify_changes()) == "changes.jsonl, line 2: it was cut short"
    write(there, 2)
    assert counted(there) == [0, 1, 2]
    assert there.verify_changes() is None


def test_a_ledger_moves_from_a_folder_to_s3_and_back(
    s3: AthenaService, there: Ledger, tmp_path: Path
) -> None:
    here = tmp_path / "here"
    changes.record(here, who="ann", what="counted", before=0, after=1)
    for name in (CHANGES, HEAD):
        put(s3, there, name, (here / name).read_bytes())
    write(there, 1)
    assert there.verify_changes() is None
    for name in (CHANGES, HEAD):
        there.objects.download(name, here / name)
    changes.record(here, who="ann", what="counted", before=2, after=3)
    assert changes.verify(here) is None
    assert [entry["before"] for entry in changes.entries(here)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (expired_credentials(), "The AWS credentials have expired"),
        (DENIED, "AWS denied s3:PutObject"),
        (Refusal("*", "NoSuchBucket", "The bucket", 404), "The ledger's bucket does not exist"),
        (Refusal("*", "KeyTooLongError", "Your key"), "could not keep or give.*KeyTooLongError"),
    ],
)
def test_what_s3_refuses_is_said_in_words_and_without_names(
    s3: AthenaService, there: Ledger, refusal: Refusal, said: str
) -> None:
    s3.failures.plan(refusal)
    for ask in (
        lambda: there.objects.names(""),
        lambda: there.objects.read("close.json"),
        lambda: there.objects.create("close.json", b"{}"),
        lambda: write(there, 1),
        there.verify_changes,
    ):
        with pytest.raises(BucketProblem, match=said) as caught:
            ask()
        assert isinstance(caught.value, OSError)
        assert isinstance(caught.value, Problem)
        assert not any(name in str(caught.value) for name in (BUCKET, "111122223333", "arn:"))
        assert caught.value.strerror


@pytest.mark.parametrize("code", ["SlowDown", "ServiceUnavailable", "ConditionalRequestConflict"])
def test_what_boto3_tried_again_in_vain_passes(code: str) -> None:
    error = ClientError({"Error": {"Code": code, "Message": "Please try again"}}, "PutObject")
    assert str(as_problem(error)).startswith("S3 can't answer at present.")


def test_a_bucket_that_cannot_be_reached(there: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(BucketProblem, match=r"can't be reached.*AWS_ENDPOINT_URL"):
        there.objects.names("")


def _key(there: Ledger, name: str) -> str:
    return f"{there.objects.place.removeprefix(f's3://{BUCKET}/')}/{name}"
