"""Checks of principals and tags: what the bill carries, against what AWS was told to put on it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from chargeback.attribution.rules import AttributionRules
from chargeback.doctor.check import EXPORTS_PAGE, MAKE_EXPORT, TAGS_PAGE, Check
from chargeback.formats import moment
from chargeback.sources.billing.cost_explorer import PRICE, CostAllocationTag, CostAllocationTags

LATELY = timedelta(days=7)
"""Principals and tags come up to two days late, and not every day has a call that carries them."""
PRINCIPALS = date(2026, 4, 1)
"""From when AWS records IAM principals, at the earliest."""
AGAIN = f"Check here again a minute later: AWS is asked again, at ${PRICE} a request."

Rows = list[dict[str, Any]]
"""Of queries/reports/tags_seen.sql."""


def check_tags_seen(rows: Rows, rules: AttributionRules) -> Iterator[Check]:
    """What the bill itself shows of principals, and of the tags that decide who pays.

    Args:
        rows: of queries/reports/tags_seen.sql, at least one.
        rules: who pays.
    """
    newest = max(row["last_date"] for row in rows)
    yield _principals([row for row in rows if row["has_principal"]], newest)
    carried = _by_key(rows)
    for dimension, keys in rules.tag_keys().items():
        if keys:
            yield _tag(dimension, keys, carried, newest)


def check_activation(listed: CostAllocationTags, rules: AttributionRules) -> Iterator[Check]:
    """Whether the tags that decide who pays are active as cost allocation tags."""
    known = {tag.key.casefold(): tag for tag in listed.tags}
    for key in dict.fromkeys(key for keys in rules.tag_keys().values() for key in keys):
        if names := _listed_as(key):
            found = (known[name] for name in names if name in known)
            yield _activation(key, next(found, None), listed.asked_at)


def _principals(rows: Rows, newest: date) -> Check:
    if rows:
        return _lately("IAM principals", "", rows, newest)
    return Check(
        "IAM principals",
        "warning",
        "no line of the bill names one",
        f"Spend can't be shown by principal. AWS records it from {PRINCIPALS:%B %Y} on, and "
        "adds nothing to past usage.",
        f"{EXPORTS_PAGE} > Create, or Edit where it is offered > Include caller identity (IAM "
        "principal) allocation data; deploy/chargeback.yaml makes such an export.",
        MAKE_EXPORT,
    )


def _by_key(rows: Rows) -> dict[str, Rows]:
    """The rows that carry each tag key, as billed; a tag without a value is none."""
    found: dict[str, Rows] = {}
    for row in rows:
        for key, value in json.loads(row["tags"]).items():
            if value:
                found.setdefault(key, []).append(row)
    return found


def _tag(dimension: str, keys: list[str], carried: Mapping[str, Rows], newest: date) -> Check:
    name = f"Tag for {dimension}"
    wanted = {spelling for key in keys for spelling in _spellings(key)}
    found = {key: rows for key, rows in carried.items() if key.casefold() in wanted}
    if found:
        together = [row for rows in found.values() for row in rows]
        return _lately(name, f"{', '.join(sorted(found))} ", together, newest)
    return Check(
        name,
        "warning",
        f"no line carries {' or '.join(keys)}",
        f"Nothing can be charged to a {dimension} by tag: it is all (unallocated).",
        "Tag the IAM roles or sessions and activate the key as a cost allocation tag, or name one "
        f"that the bill carries in [attribution]. It carries: {', '.join(sorted(carried)) or '-'}.",
    )


def _lately(name: str, what: str, rows: Rows, newest: date) -> Check:
    """In order while the bill's last days show it too."""
    first, last = min(row["first_date"] for row in rows), max(row["last_date"] for row in rows)
    if newest - last <= LATELY:
        return Check(name, "ok", f"{what}on the bill since {first:%-d %B %Y}")
    return Check(
        name,
        "warning",
        f"{what}on the bill from {first:%-d %B %Y} to {last:%-d %B %Y}, but not since",
        f"Spend after {last:%-d %B %Y} can't be assigned by it; AWS adds nothing to past usage.",
        f"{EXPORTS_PAGE}: does the export still include caller identity? {TAGS_PAGE}: is the key "
        "still active?",
    )


def _activation(key: str, tag: CostAllocationTag | None, asked_at: datetime) -> Check:
    name = f"Cost allocation tag {key}"
    if tag and tag.is_active:
        since = f" since {tag.updated_on:%-d %B %Y}" if tag.updated_on else ""
        return Check(name, "ok", f"active{since}")
    as_of = f"as of {moment(asked_at)}"
    means = "Lines carry the tag only once it is active; AWS adds nothing to past usage."
    todo = f"In the account that pays: {TAGS_PAGE} > {tag.key if tag else key} > Activate."
    if tag is None:
        return Check(
            name,
            "warning",
            f"not among the keys that AWS lists, {as_of}",
            means,
            f"Tag what calls Bedrock; AWS lists a key within a day of its use. {todo} {AGAIN}",
            f"aws ce list-cost-allocation-tags --region us-east-1 --tag-keys {shlex.quote(key)}",
        )
    status = shlex.quote(f"TagKey={tag.key},Status=Active")
    return Check(
        name,
        "warning",
        f"not active, {as_of}",
        means,
        f"{todo} {AGAIN}",
        "aws ce update-cost-allocation-tags-status --region us-east-1 "
        f"--cost-allocation-tags-status {status}",
    )


def _spellings(key: str) -> tuple[str, ...]:
    """How the bill may spell a tag key, without case; it prefixes resources' keys (CUR 2.0)."""
    prefix, _, rest = key.casefold().partition("/")
    if prefix == "resourcetags":
        return key.casefold(), f"{prefix}/user_{rest}", f"{prefix}/user:{rest}"
    return (key.casefold(),)


def _listed_as(key: str) -> tuple[str, ...]:
    """How AWS may list it, without case: a resource's key is bare. Others need no activation."""
    prefix, _, rest = key.casefold().partition("/")
    if prefix == "iamprincipal":
        return (key.casefold(),)
    if prefix == "resourcetags" and not rest.startswith(("aws:", "aws_")):
        return rest, rest.removeprefix("user:"), rest.removeprefix("user_")
    return ()
