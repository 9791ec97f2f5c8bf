"""AWS's reasons for not answering, told as problems that a reader can act on.

Neither the query, nor account ids, nor names of resources are repeated: what AWS says holds them.
"""

from __future__ import annotations

import re

from chargeback.aws.problems import CREDENTIALS, Reason, fitting, words_of
from chargeback.errors import SourceProblem

MEANS = "Nothing newer can be read from Athena; figures read earlier stay as they were."

ACTION = re.compile(r"\b(?:athena|glue|s3|kms|lakeformation|sts):[A-Z][A-Za-z]+")
CODE = re.compile(r"[A-Z][A-Za-z]*(?:_[A-Z]+)*(?=:)")


REASONS = (
    *CREDENTIALS,
    Reason(
        "^(NoRegion|InvalidRegion|UnknownRegion)",
        "No valid AWS region is set.",
        "Set `region` in the [athena] section, or AWS_REGION, to the region of the table.",
    ),
    Reason(
        "^(EndpointConnection|Connect|ReadTimeout|Proxy|SSLError|HTTPClient|ResponseStreaming"
        "|RetriesExceeded|InvalidEndpoint|UnknownEndpoint|EndpointProvider)",
        "AWS can't be reached.",
        "Check the network, the region, and AWS_ENDPOINT_URL if it is set.",
    ),
    Reason(
        "^(Throttling|TooManyRequests|SlowDown|RequestLimitExceeded)|Rate exceeded",
        "Athena is receiving too many requests to answer this one.",
        "Wait a minute and refresh.",
    ),
    Reason(
        "Bytes scanned limit",
        "The query would scan more than its Athena workgroup allows.",
        "Raise the workgroup's limit per query, or choose a workgroup with a higher one.",
    ),
    Reason(
        "No output location",
        "Athena has no location for its results.",
        "Set `s3_staging_dir` in the [athena] section, or a result location in the workgroup.",
    ),
    Reason(
        "output bucket|NoSuchBucket|bucket does not exist",
        "Athena can't use the location for its results.",
        "Check that the bucket of `s3_staging_dir` or of the workgroup exists in the same region "
        "and that s3:GetBucketLocation is allowed on it.",
    ),
    Reason(
        "(?i)workgroup.* (not found|disabled)",
        "Athena has no enabled workgroup of that name.",
        "Check `workgroup` and `region` in the [athena] section.",
    ),
    Reason(
        "(?i)Access ?Denied|Forbidden|^403:|not authorized to perform|Insufficient .*permission"
        "|Permission denied",
        "AWS denied {action}.",
        "Allow it for the role in use: Athena on the workgroup, Glue and Lake Formation on the "
        "table, S3 on the export and the result bucket, KMS on their keys.",
    ),
    Reason(
        "(TABLE|SCHEMA|CATALOG)_NOT_FOUND|EntityNotFound"
        "|(Table|Database|Catalog) .*not (exist|found)",
        "Athena finds no table of that name.",
        "Check `catalog`, `database`, `table` and `region` in the [athena] section.",
    ),
    Reason(
        "^(NoSuchKey|404):",
        "The query's results were gone before they could be read.",
        "Refresh again. If that persists, check what deletes files from the results location.",
    ),
    Reason(
        "HIVE_(CANNOT_OPEN_SPLIT|FILESYSTEM_ERROR|CURSOR_ERROR|FILE_NOT_FOUND)|NoSuchKey",
        "AWS was replacing the files while they were read.",
        "Wait a few minutes and refresh.",
    ),
    Reason(
        "COLUMN_NOT_FOUND|cannot be resolved|SYNTAX_ERROR|MALFORMED_QUERY|mismatched input"
        "|TYPE_MISMATCH|FUNCTION_NOT_FOUND|HIVE_BAD_DATA|SCHEMA_MISMATCH|INVALID_CAST"
        "|type are not supported",
        "Athena can't read the table as CUR 2.0.",
        "Point to the export's own table, not to a view, partitioned by billing_period, in a "
        "workgroup with Athena engine version 3.",
    ),
    Reason(
        "exhausted resources|(?i:query timeout)|EXCEEDED_",
        "Athena ran out of time or memory for the query.",
        "Refresh again later. If that persists, give the workgroup more capacity.",
    ),
    Reason(
        "(?i)cancel",
        "The query was cancelled in Athena.",
        "Refresh again.",
    ),
)
"""In AWS's words; what the program could not even send is known by boto3's class of error."""


def as_problem(error: Exception) -> SourceProblem:
    """The problem behind an error of boto3 or PyAthena."""
    words = words_of(error)
    reason = fitting(REASONS, words)
    if reason:
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
    return as_problem(ValueError("No output location"))


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
