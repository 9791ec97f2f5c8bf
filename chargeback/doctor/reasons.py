"""Why nobody pays, in words: what each reason is, and from when on its fix acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

RULES_ACT: Final = "Past months too"
TAGS_ACT: Final = "From now on"
LIST_ACTS: Final = "Past months, by list"
RULE_ACTS: Final = "Past months, by rule"
NOTHING_TO_DO: Final = "Nothing to fix"


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason of queries/reports/unallocated.sql."""

    title: str
    means: str
    acts: str
    """On what a fix can act at best; tags act from now on."""
    without_callers: bool = False
    """Whether its lines name no caller who could be tagged."""


REASONS: Final[Mapping[str, Reason]] = {
    "discount": Reason(
        "Discounts",
        "Discount lines name no caller. They can follow the usage they belong to.",
        RULE_ACTS,
        without_callers=True,
    ),
    "tax": Reason(
        "Tax",
        "Tax lines name no caller. They can follow the usage that is taxed.",
        RULE_ACTS,
        without_callers=True,
    ),
    "credit": Reason(
        "Credits",
        "Credits name no caller. They can follow usage, or stay with whoever negotiated them.",
        RULE_ACTS,
        without_callers=True,
    ),
    "refund": Reason(
        "Refunds",
        "Refunds name no caller. They can follow the usage they pay back.",
        RULE_ACTS,
        without_callers=True,
    ),
    "fee": Reason(
        "Fees and other charges",
        "Monthly or one-off charges, such as reserved capacity. They name no caller.",
        RULE_ACTS,
        without_callers=True,
    ),
    "meter": Reason(
        "Usage types that never name a caller",
        "Provisioned throughput, customization, storage and the like: AWS does not say who used "
        "them. Only the account or the resource tells where they belong.",
        RULE_ACTS,
        without_callers=True,
    ),
    "before-callers": Reason(
        "Usage without a caller",
        "From before the export named callers, or through an API that did not pass them on. AWS "
        "does not add callers later.",
        RULE_ACTS,
        without_callers=True,
    ),
    "default-project": Reason(
        "The default Bedrock project",
        "Requests that name no project go to the account’s default one, which can’t be tagged.",
        RULE_ACTS,
    ),
    "internal-use": Reason(
        "Internal use: a team, but no tenant",
        "Usage of your own teams. Charge it to their cost centers, not to tenants.",
        NOTHING_TO_DO,
    ),
    "gateway": Reason(
        "A gateway calls as itself",
        "Calls under the gateway’s own role, without session tags: for whom is not known.",
        RULE_ACTS,
    ),
    "api-key": Reason(
        "Bedrock API keys",
        "A key is an IAM user without an owner’s tag. Tag the user, or add the owner to the list.",
        LIST_ACTS,
    ),
    "blank-tag": Reason(
        "The tag is present but empty",
        "The key arrives without a value, as directories send it for an empty field.",
        LIST_ACTS,
    ),
    "no-tag": Reason(
        "Callers without the tag",
        "The line names its caller, but the caller has no such tag.",
        LIST_ACTS,
    ),
}


def title_of(reason: str) -> str:
    """What readers see; a reason that is not known keeps its name."""
    return REASONS[reason].title if reason in REASONS else reason
