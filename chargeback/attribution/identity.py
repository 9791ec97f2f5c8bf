"""What a line of the bill says of whose it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

TAG_MAPS = ("tags", "resource_tags", "cost_category")
"""The columns of a row of queries/store/identities.sql that hold tags, as JSON."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a line says about who pays; keys of `tags` carry their prefix, as billed."""

    usage_account_id: str
    iam_principal: str
    tags: Mapping[str, str]
    resource_id: str = ""
    """Where a rule reads it; '' otherwise."""


def merge_tags(
    tags: Mapping[str, str], resource_tags: Mapping[str, str], cost_category: Mapping[str, str]
) -> dict[str, str]:
    """One map of the three that CUR may have; `tags` wins where two name the same key."""
    return {
        **{f"resourceTags/{key}": value for key, value in resource_tags.items()},
        **{f"costCategory/{key}": value for key, value in cost_category.items()},
        **tags,
    }


def identity_of(row: Mapping[str, str]) -> Identity:
    """The identity that a row of queries/store/identities.sql names; its maps are JSON."""
    maps = (_tag_map(row[key]) for key in TAG_MAPS)
    return Identity(
        row["usage_account_id"],
        row["iam_principal"],
        merge_tags(*maps),
        row.get("resource_id") or "",
    )


@lru_cache(maxsize=65_536)
def _tag_map(text: str) -> dict[str, str]:
    # A tag without a value may be NULL in the map: absent, like ''.
    return {key: value or "" for key, value in json.loads(text).items()}
