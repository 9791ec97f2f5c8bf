"""Why Cost Explorer or the Invoicing API does not answer, told so that a reader can act on it.

Account ids, names and requests are not repeated: what AWS says holds them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from botocore.exceptions import ClientError

from chargeback.errors import SourceProblem

MEANS = "The bill's own figures stand; what is set against them is missing, or as old as it says."

ACTION = re.compile(r"\b(?:ce|invoicing|sts|organizations):[A-Z][A-Za-z]+")
CODE = re.compile(r"[A-Z][A-Za-z]*(?=:)")


@dataclass(frozen=True, slots=True)
class _Reason:
    """A reason by the words of AWS or boto3 for it; the first that fits counts."""

    words: str
    what: str
    todo: str


REASONS = (
    _Reason(
        "^(NoCredentials|PartialCredentials|ProfileNotFound|NoAuthToken|UnknownCredential)",
        "No AWS credentials were found for {service}.",
        "Give the program credentials in one of boto3's ways: a role, AWS_PROFILE, or AWS_* keys.",
    ),
    _Reason(
        "^(ExpiredToken|RequestExpired|TokenRetrieval|SSOTokenLoad|UnauthorizedSSOToken|SSOError"
        "|CredentialRetrieval|Login)",
        "The AWS credentials have expired.",
        "Sign in to AWS again, then open the page again.",
    ),
    _Reason(
        "^(UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch"
        "|InvalidAccessKeyId|IncompleteSignature|MissingAuthenticationToken)",
        "AWS does not accept the credentials.",
        "Check the access key, and that the clock of this computer is right.",
    ),
    _Reason(
        "(?i)not enabled for cost explorer|cost explorer .*not .*enabled",
        "Cost Explorer is not enabled in this account.",
        "Open Cost Explorer once in the Billing console of the management account; its data is "
        "there within 24 hours.",
    ),
    _Reason(
        "historical data beyond|^BillExpiration",
        "Cost Explorer does not reach back that far.",
        "It keeps 13 months and the current one. Choose a later month, or switch on multi-year "
        "data in the Cost Management preferences.",
    ),
    _Reason(
        "(?i)^AccessDenied|^NotAuthorized|^UnauthorizedOperation|not authorized to perform",
        "AWS denied {action}.",
        "Allow {action} for the role in use; in a member account the management account must also "
        "give access to billing.",
    ),
    _Reason(
        "^(Throttling|ThrottledException|TooManyRequests|LimitExceeded|RequestLimitExceeded)"
        "|Rate exceeded",
        "{service} has too many requests to answer this one.",
        "Wait a minute and open the page again.",
    ),
    _Reason(
        "^DataUnavailable",
        "{service} has no data for these months yet.",
        "Data is there up to 24 hours after Cost Explorer was enabled, and later for a forecast: "
        "try again tomorrow.",
    ),
    _Reason(
        "^(EndpointConnection|Connect|ReadTimeout|Proxy|SSLError|HTTPClient|ResponseStreaming"
        "|InvalidEndpoint|UnknownEndpoint|EndpointProvider|ProxyConnection)",
        "{service} can't be reached.",
        "Check the network, and AWS_ENDPOINT_URL if it is set.",
    ),
    _Reason(
        "^(InvalidNextToken|RequestChanged)",
        "{service} changed its answer while it was being read.",
        "Open the page again.",
    ),
)
"""In AWS's words; what could not even be sent is known by boto3's class of error."""


def explained(error: Exception, service: str, action: str) -> SourceProblem:
    """The problem behind an error of boto3.

    Args:
        error: what boto3 raised.
        service: for people: 'Cost Explorer'.
        action: the IAM action that the call needs; AWS's own word wins where it names another.
    """
    words = _words(error)
    for reason in REASONS:
        if re.search(reason.words, words):
            named = ACTION.search(words)
            values = {"service": service, "action": named[0] if named else action}
            return SourceProblem(reason.what.format(**values), MEANS, reason.todo.format(**values))
    code = CODE.match(words)
    return SourceProblem(
        f"{service} could not answer{f' ({code[0]})' if code else ''}.",
        MEANS,
        "Open the page again later; if it stays so, look at AWS's service health.",
    )


def can_not_keep(service: str, reason: str) -> SourceProblem:
    """The problem when answers can't be written to disk: asking again would cost again."""
    return SourceProblem(
        f"The answers of {service} can't be kept: {reason}.",
        MEANS,
        "Check CHARGEBACK_STORE and the permissions of the folder.",
    )


def _words(error: Exception) -> str:
    """`code: message` of what AWS answered, or `class: message` of what never reached it."""
    if isinstance(error, ClientError):
        answer = error.response["Error"]
        return f"{answer.get('Code', '')}: {answer.get('Message', '')}"
    return f"{type(error).__name__}: {error}"
