"""AWS's reasons for not answering, told as problems that a reader can act on.

Neither the query, nor account ids, nor names of resources are repeated: what AWS says holds them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from botocore.exceptions import ClientError

from chargeback.errors import SourceProblem

MEANS = "Nothing newer can be read from Athena; figures read earlier stay as they were."

ACTION = re.compile(r"\b(?:athena|glue|s3|kms|lakeformation|sts):[A-Z][A-Za-z]+")
CODE = re.compile(r"[A-Z][A-Za-z]*(?:_[A-Z]+)*(?=:)")


@dataclass(frozen=True, slots=True)
class _Reason:
    """A reason by the words of AWS, boto3 or Athena's engine for it; the first that fits counts."""

    words: str
    what: str
    todo: str


REASONS = (
    _Reason(
        "^(NoCredentials|PartialCredentials|ProfileNotFound|NoAuthToken|UnknownCredential)",
        "No AWS credentials were found.",
        "Give the program credentials in one of boto3's ways: a role, AWS_PROFILE, or AWS_* keys.",
    ),
    _Reason(
        "^(ExpiredToken|RequestExpired|TokenRetrieval|SSOTokenLoad|UnauthorizedSSOToken|SSOError"
        "|CredentialRetrieval|Login)",
        "The AWS credentials have expired.",
        "Sign in to AWS again, then refresh.",
    ),
    _Reason(
        "^(UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch"
        "|InvalidAccessKeyId|IncompleteSignature|MissingAuthenticationToken)",
        "AWS does not accept the credentials.",
        "Check the access key, and that the clock of this computer is right.",
    ),
    _Reason(
        "^(NoRegion|InvalidRegion|UnknownRegion)",
        "No valid AWS region is set.",
        "Set `region` in the [athena] section, or AWS_REGION, to the region of the table.",
    ),
    _Reason(
        "^(EndpointConnection|Connect|ReadTimeout|Proxy|SSLError|HTTPClient|ResponseStreaming"
        "|RetriesExceeded|InvalidEndpoint|UnknownEndpoint|EndpointProvider)",
        "AWS can't be reached.",
        "Check the network, the region, and AWS_ENDPOINT_URL if it is set.",
    ),
    _Reason(
        "^(Throttling|TooManyRequests|SlowDown|RequestLimitExceeded)|Rate exceeded",
        "Athena has too many requests to answer this one.",
        "Wait a minute and refresh.",
    ),
    _Reason(
        "Bytes scanned limit",
        "The query would scan more than its Athena workgroup allows.",
        "Raise the workgroup's limit per query, or choose a workgroup with a higher one.",
    ),
    _Reason(
        "No output location",
        "Athena has no place for its results.",
        "Set `s3_staging_dir` in the [athena] section, or a result location in the workgroup.",
    ),
    _Reason(
        "output bucket|NoSuchBucket|bucket does not exist",
        "Athena can't use the place for its results.",
        "Check that the bucket of `s3_staging_dir` or of the workgroup exists in the same region "
        "and that s3:GetBucketLocation is allowed on it.",
    ),
    _Reason(
        "(?i)workgroup.* (not found|disabled)",
        "Athena has no workgroup of that name that is enabled.",
        "Check `workgroup` and `region` in the [athena] section.",
    ),
    _Reason(
        "(?i)Access ?Denied|Forbidden|^403:|not authorized to perform|Insufficient .*permission"
        "|Permission denied",
        "AWS denied {action}.",
        "Allow it for the role in use: Athena on the workgroup, Glue and Lake Formation on the "
        "table, S3 on the export and the result bucket, KMS on their keys.",
    ),
    _Reason(
        "(TABLE|SCHEMA|CATALOG)_NOT_FOUND|EntityNotFound"
        "|(Table|Database|Catalog) .*not (exist|found)",
        "Athena finds no table of that name.",
        "Check `catalog`, `database`, `table` and `region` in the [athena] section.",
    ),
    _Reason(
        "^(NoSuchKey|404):",
        "The query's results were gone before they could be read.",
        "Refresh again; if it stays so, check what deletes files from the place for results.",
    ),
    _Reason(
        "HIVE_(CANNOT_OPEN_SPLIT|FILESYSTEM_ERROR|CURSOR_ERROR|FILE_NOT_FOUND)|NoSuchKey",
        "AWS was replacing the files while they were read.",
        "Wait a few minutes and refresh.",
    ),
    _Reason(
        "COLUMN_NOT_FOUND|cannot be resolved|SYNTAX_ERROR|MALFORMED_QUERY|mismatched input"
        "|TYPE_MISMATCH|FUNCTION_NOT_FOUND|HIVE_BAD_DATA|SCHEMA_MISMATCH|INVALID_CAST"
        "|type are not supported",
        "Athena can't read the table as CUR 2.0.",
        "Point to the export's own table, not to a view, partitioned by billing_period, in a "
        "workgroup with Athena engine version 3.",
    ),
    _Reason(
        "exhausted resources|(?i:query timeout)|EXCEEDED_",
        "Athena ran out of time or memory for the query.",
        "Refresh again later; if it stays so, give the workgroup more capacity.",
    ),
    _Reason(
        "(?i)cancel",
        "The query was cancelled in Athena.",
        "Refresh again.",
    ),
)
"""In AWS's words; what the program could not even send is known by boto3's class of error."""


def explained(error: Exception) -> SourceProblem:
    """The problem behind an error of boto3 or PyAthena."""
    words = _words(error)
    for reason in REASONS:
        if re.search(reason.words, words):
            action = ACTION.search(words)
            what = reason.what.format(action=action[0] if action else "access to the bill")
            return SourceProblem(what, MEANS, reason.todo)
    code = CODE.match(words)
    return SourceProblem(
        f"Athena could not answer{f' ({code[0]})' if code else ''}.",
        MEANS,
        "Look at the query in the workgroup's history in Athena, then refresh.",
    )


def no_output_location() -> SourceProblem:
    """The problem when neither the settings nor the workgroup name a place for results."""
    return explained(ValueError("No output location"))


def unreadable_results() -> SourceProblem:
    """The problem when UNLOAD's files are not the Parquet that they should be."""
    return SourceProblem(
        "The query's results can't be read: its files are incomplete.",
        MEANS,
        "Refresh again.",
    )


def not_finished(seconds: int) -> SourceProblem:
    """The problem with a query that took longer than it may; it is cancelled."""
    unit = "second" if seconds == 1 else "seconds"
    return SourceProblem(
        f"Athena did not finish the query within {seconds:,} {unit}; it was cancelled.",
        MEANS,
        "Refresh again later, or raise `timeout_seconds` in the [athena] section.",
    )


def stopped() -> SourceProblem:
    """What ends a query that nobody waits for any more; it is cancelled."""
    return SourceProblem("Reading the bill was stopped.", MEANS, "Refresh again.")


def _words(error: BaseException) -> str:
    """`code: message` of what AWS answered, or `class: message` of what never reached it.

    PyAthena wraps what boto3 raises; a query that failed has only Athena's own reason.
    """
    if isinstance(error, ClientError):
        answer = error.response["Error"]
        return f"{answer.get('Code', '')}: {answer.get('Message', '')}"
    if error.__cause__ is not None:
        return _words(error.__cause__)
    if type(error).__module__.startswith("pyathena"):
        return str(error)
    return f"{type(error).__name__}: {error}"
