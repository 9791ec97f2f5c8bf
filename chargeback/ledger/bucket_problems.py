"""S3's reasons for not doing what a ledger asks, told as problems that a reader can act on."""

from __future__ import annotations

import re

from chargeback.aws.problems import CREDENTIALS, Reason, fitting, words_of
from chargeback.ledger.objects import LedgerProblem

MEANS = "The ledger can't be read or written; nothing in it has changed."
CODE = re.compile(r"[A-Z][A-Za-z]*(?=:)")
ACTION = re.compile(r"\b(?:s3|kms):[A-Z][A-Za-z]+")

REASONS = (
    *CREDENTIALS,
    Reason(
        "^(EndpointConnection|Connect|ReadTimeout|Proxy|SSLError|HTTPClient|ResponseStreaming"
        "|IncompleteRead|InvalidEndpoint|UnknownEndpoint|EndpointProvider)",
        "The ledger's bucket can't be reached.",
        "Check the network, and AWS_ENDPOINT_URL if it is set.",
    ),
    Reason(
        "^(SlowDown|Throttling|TooManyRequests|RequestLimitExceeded|ServiceUnavailable"
        "|InternalError|ConditionalRequestConflict|50[03]:)",
        "S3 can't answer at present.",
        "Try again in a minute.",
    ),
    Reason(
        "NoSuchBucket",
        "The ledger's bucket does not exist.",
        "Check `ledger` (CHARGEBACK_LEDGER).",
    ),
    Reason(
        "(?i)Access ?Denied|Forbidden|^403:|not authorized to perform|AllAccessDisabled"
        "|InvalidObjectState",
        "AWS denied {action}.",
        "Allow the role in use s3:ListBucket on the ledger's bucket, s3:GetObject and s3:PutObject "
        "on its objects, and its key in KMS if it has one.",
    ),
)


class BucketProblem(LedgerProblem, OSError):  # noqa: N818  (as Problem)
    """S3 did not do what was asked. Whoever expects a folder's OSError gets one."""

    def __init__(self, what: str, means: str = "", todo: str = "") -> None:
        super().__init__(what, means, todo)
        self.strerror = what.removesuffix(".")


def as_problem(error: Exception) -> BucketProblem:
    """The problem behind an error of boto3; it holds no name of a bucket, key or account."""
    words = words_of(error)
    reason = fitting(REASONS, words)
    if reason is None:
        code = CODE.match(words)
        return BucketProblem(
            f"S3 could not keep or give what the ledger holds{f' ({code[0]})' if code else ''}.",
            MEANS,
            "Try again; if that persists, look the code up in S3's list of error responses.",
        )
    action = ACTION.search(words)
    what = reason.what.format(action=action[0] if action else "access to the ledger's bucket")
    return BucketProblem(what, MEANS, reason.todo)


def others_are_faster() -> BucketProblem:
    """The problem where somebody else wrote a line, each time."""
    return BucketProblem(
        "Others were writing to the ledger all the time.", MEANS, "Try again in a minute."
    )
