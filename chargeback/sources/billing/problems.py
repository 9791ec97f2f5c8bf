"""Why Cost Explorer or the Invoicing API does not answer, told so that a reader can act on it.

Account ids, names and requests are not repeated: what AWS says holds them.
"""

from __future__ import annotations

import re

from chargeback.aws.problems import CREDENTIALS, Reason, fitting, words_of
from chargeback.errors import SourceProblem

MEANS = "The bill's own figures are not affected; what they are compared with is missing or old."

ACTION = re.compile(r"\b(?:ce|invoicing|sts|organizations):[A-Z][A-Za-z]+")
CODE = re.compile(r"[A-Z][A-Za-z]*(?=:)")


REASONS = (
    *CREDENTIALS,
    Reason(
        "(?i)not enabled for cost explorer|cost explorer .*not .*enabled",
        "Cost Explorer is not enabled in this account.",
        "Open Cost Explorer once in the Billing console of the management account; its data will "
        "be available within 24 hours.",
    ),
    Reason(
        "historical data beyond|^BillExpiration",
        "Cost Explorer does not go back that far.",
        "It keeps the current month and the 13 before it. Choose a later month, or enable "
        "multi-year data in the Cost Management preferences.",
    ),
    Reason(
        "(?i)linked account doesn.t have access",
        "AWS shows cost allocation tags only to the account that pays.",
        "Check them there, or use that account's credentials.",
    ),
    Reason(
        "(?i)^AccessDenied|^NotAuthorized|^UnauthorizedOperation|not authorized to perform",
        "AWS denied {action}.",
        "Allow {action} for the role in use. For a member account, the management account must "
        "also grant access to billing.",
    ),
    Reason(
        "^(Throttling|ThrottledException|TooManyRequests|LimitExceeded|RequestLimitExceeded)"
        "|Rate exceeded",
        "{service} is receiving too many requests to answer this one.",
        "Wait a minute, then open the page again.",
    ),
    Reason(
        "^DataUnavailable",
        "{service} has no data for these months yet.",
        "Data arrives within 24 hours of enabling Cost Explorer; a forecast takes longer. Try "
        "again tomorrow.",
    ),
    Reason(
        "^(EndpointConnection|Connect|ReadTimeout|Proxy|SSLError|HTTPClient|ResponseStreaming"
        "|InvalidEndpoint|UnknownEndpoint|EndpointProvider|ProxyConnection)",
        "{service} can't be reached.",
        "Check the network, and AWS_ENDPOINT_URL if it is set.",
    ),
    Reason(
        "^(InvalidNextToken|RequestChanged)",
        "{service} changed its answer while it was being read.",
        "Open the page again.",
    ),
)
"""In AWS's words; what could not even be sent is known by boto3's class of error."""


def as_problem(error: Exception, service: str, action: str) -> SourceProblem:
    """The problem behind an error of boto3.

    Args:
        error: what boto3 raised.
        service: for people: 'Cost Explorer'.
        action: the IAM action that the call needs; AWS's own word wins where it names another.
    """
    words = words_of(error)
    reason = fitting(REASONS, words)
    if reason:
        named = ACTION.search(words)
        values = {"service": service, "action": named[0] if named else action}
        return SourceProblem(reason.what.format(**values), MEANS, reason.todo.format(**values))
    code = CODE.match(words)
    return SourceProblem(
        f"{service} could not answer{f' ({code[0]})' if code else ''}.",
        MEANS,
        "Open the page again later. If the problem persists, check the AWS Health Dashboard.",
    )


def can_not_keep(service: str, reason: str) -> SourceProblem:
    """The problem when answers can't be written to disk: asking again would cost again."""
    return SourceProblem(
        f"Answers from {service} can't be saved: {reason}.",
        MEANS,
        "Check CHARGEBACK_STORE and the permissions of the folder.",
    )
