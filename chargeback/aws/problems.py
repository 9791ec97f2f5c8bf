"""What all of AWS's services may answer instead of what was asked, and how it is told apart."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from botocore.exceptions import ClientError


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason by the words of AWS, boto3 or an engine for it; the first that fits counts."""

    words: str
    """A regular expression over what `words_of` gives."""
    what: str
    todo: str


CREDENTIALS = (
    Reason(
        "^(NoCredentials|PartialCredentials|ProfileNotFound|NoAuthToken|UnknownCredential)",
        "No AWS credentials were found.",
        "Give the program credentials in one of boto3's ways: a role, AWS_PROFILE, or AWS_* keys.",
    ),
    Reason(
        "^(ExpiredToken|RequestExpired|TokenRetrieval|SSOTokenLoad|UnauthorizedSSOToken|SSOError"
        "|CredentialRetrieval|Login)",
        "The AWS credentials have expired.",
        "Sign in to AWS again, then try again.",
    ),
    Reason(
        "^(UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch"
        "|InvalidAccessKeyId|IncompleteSignature|MissingAuthenticationToken)",
        "AWS does not accept the credentials.",
        "Check the access key, and that the clock of this computer is right.",
    ),
)


def fitting(reasons: Iterable[Reason], words: str) -> Reason | None:
    """The first reason that fits."""
    return next((reason for reason in reasons if re.search(reason.words, words)), None)


def words_of(error: BaseException) -> str:
    """`code: message` of what AWS answered, or `class: message` of what never reached it.

    PyAthena wraps what boto3 raises; a query that failed has only Athena's own reason.
    """
    if isinstance(error, ClientError):
        answer = error.response["Error"]
        return f"{answer.get('Code', '')}: {answer.get('Message', '')}"
    if error.__cause__ is not None:
        return words_of(error.__cause__)
    if type(error).__module__.startswith("pyathena"):
        return str(error)
    return f"{type(error).__name__}: {error}"
