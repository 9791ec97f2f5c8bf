"""The exact fix for what nobody pays for: commands for AWS, rows and rules to copy.

Names of roles, users and tags are whatever their owners chose: each is quoted for what reads it.
What only a person knows stands as a placeholder: <TEAM>.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from chargeback.attribution.owners import ACCOUNT
from chargeback.attribution.principal import read_principal
from chargeback.attribution.principal_pattern import OTHER_WILDCARDS, tidied
from chargeback.attribution.rules import NAMES, AttributionRules
from chargeback.attribution.star_pattern import STAR
from chargeback.dimensions import BY_NAME, UNALLOCATED
from chargeback.doctor.reasons import RULES_ACT, TAGS_ACT

PRINCIPAL_TAG: Final = "iamPrincipal/"
SHORTHAND: Final = re.compile(r"[A-Za-z0-9_.:/+@<>-]+(?: [A-Za-z0-9_.:/+@<>-]+)*")
"""What AWS's command line takes as it stands in `Key=…,Value=…`; the rest is written as JSON."""
BROKEN_LINE: Final = re.compile(r"[\r\n\x00-\x1f\x7f\x85\u2028\u2029]+|^\s+|\s+$")
TAGGED_ROLES: Final = frozenset(
    {"role", "role session", "EC2 instance", "EKS pod", "ECS task", "Lambda function"}
)
TAGGED_USERS: Final = frozenset({"IAM user", "Bedrock API key"})
FOLLOWS: Final = {
    "discount": "discount",
    "tax": "tax",
    "credit": "credit",
    "refund": "refund",
    "fee": "other",
}
"""The reason, and the setting of [allocation] that lets it follow usage."""
SOON: Final = (
    "New usage carries the tag 24 to 48 hours after the key is active; earlier usage never does."
)
BACKFILL: Final = (
    "AWS can backfill a tag that already existed for up to 12 months. It rewrites those months, "
    "closed ones too, and removes tags that are inactive today."
)

Language = Literal["bash", "toml", "json", "csv"]


@dataclass(frozen=True, slots=True)
class Fix:
    """One way to have somebody pay."""

    title: str
    acts: str
    """RULES_ACT or TAGS_ACT."""
    text: str
    """To copy."""
    language: Language = "bash"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """Who, or what, nobody pays for."""

    caller: str
    """The IAM principal as billed, one of a role's sessions; '' for none."""
    account: str
    meter: str = ""
    """The usage type, where there is no caller."""

    @property
    def pays_by(self) -> str:
        """How the owner list and rules name the caller: by its role, else by its ARN."""
        group = read_principal(self.caller).group
        return group if group.startswith("arn:") else self.caller


def fixes(dimension: str, reason: str, subject: Subject, rules: AttributionRules) -> list[Fix]:
    """Every fix for a reason, the most exact first.

    Args:
        dimension: that nobody is found for.
        reason: of queries/reports/unallocated.sql.
        subject: of whose lines.
        rules: their tag keys are the ones to set.
    """
    return list(_fixes(dimension, reason, subject, rules))


def _fixes(dimension: str, reason: str, subject: Subject, rules: AttributionRules) -> Iterator[Fix]:
    if reason in FOLLOWS:
        yield follow_usage(reason)
        return
    if reason == "internal-use":
        return
    if dimension in NAMES:
        key = tag_key(dimension, rules)
        yield from _tag_fixes(dimension, reason, subject, key)
        if row := owner_row(dimension, subject):
            yield row
    if subject.caller or subject.meter:
        yield allocation_rule(dimension, subject)


def _tag_fixes(dimension: str, reason: str, subject: Subject, key: str) -> Iterator[Fix]:
    principal, value = read_principal(subject.caller), placeholder(dimension)
    if reason == "gateway":
        yield session_tags(principal.group, key, value)
        yield trust_policy(subject.account)
    elif principal.type == "SSO user":
        yield sso_attribute(key)
    elif principal.type in TAGGED_USERS:
        yield tag_user(principal.name, key, value, principal.account_id)
    elif principal.type in TAGGED_ROLES:
        yield tag_role(principal.role, key, value, principal.account_id)
    elif not subject.caller:
        yield tag_resource(key, value)
        return
    else:
        return
    yield activate(f"{PRINCIPAL_TAG}{key}")


def placeholder(dimension: str) -> str:
    """What stands for a value that only a person knows: '<COST CENTER>'."""
    return f"<{BY_NAME[dimension].noun.upper()}>"


def tag_key(dimension: str, rules: AttributionRules) -> str:
    """The key to tag principals with: the first that the rules ask for, else the usual one."""
    asked = [*rules.tag_keys()[dimension], BY_NAME[dimension].tag]
    of_principals = (key for key in asked if key.casefold().startswith(PRINCIPAL_TAG.casefold()))
    return next(of_principals)[len(PRINCIPAL_TAG) :]


def tag_role(role: str, key: str, value: str, account: str) -> Fix:
    """Tags a role: all its sessions carry the tag."""
    text = f"aws iam tag-role {_option('role-name', role)} --tags {_tag(key, value)}"
    return Fix(f"Tag the role{_in(account)}", TAGS_ACT, text, note=SOON)


def tag_user(user: str, key: str, value: str, account: str) -> Fix:
    """Tags an IAM user, which is what an API key is, too."""
    text = f"aws iam tag-user {_option('user-name', user)} --tags {_tag(key, value)}"
    return Fix(f"Tag the IAM user{_in(account)}", TAGS_ACT, text, note=SOON)


def session_tags(role: str, key: str, value: str) -> Fix:
    """What a gateway does for each caller."""
    text = (
        f"aws sts assume-role {_option('role-arn', role)} --role-session-name '<CALLER>' "
        f"--tags {_tag(key, value)}"
    )
    return Fix(
        "In the gateway: one session for each caller, with its tags",
        TAGS_ACT,
        text,
        note=f"This belongs in the gateway’s code; nobody types it. Keep one session for each set "
        f"of tags. {SOON}",
    )


def trust_policy(account: str) -> Fix:
    """Without which a session with tags is refused."""
    root = f"arn:aws:iam::{account if ACCOUNT.fullmatch(account) else '<ACCOUNT>'}"
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"{root}:role/<ROLE OF THE GATEWAY’S SERVERS>"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    }
    return Fix(
        "And in the role’s trust policy: allow sts:TagSession",
        TAGS_ACT,
        json.dumps(statement, indent=2, ensure_ascii=False),
        "json",
        "Without it AWS refuses the session.",
    )


def sso_attribute(key: str) -> Fix:
    """Sends an attribute of the directory as a tag with every sign-in."""
    configuration = {
        "AccessControlAttributes": [
            {"Key": key, "Value": {"Source": ["${path:enterprise.<ATTRIBUTE>}"]}}
        ]
    }
    text = (
        "aws sso-admin create-instance-access-control-attribute-configuration "
        "--instance-arn '<INSTANCE ARN>' --instance-access-control-attribute-configuration "
        f"{shlex.quote(json.dumps(configuration, ensure_ascii=False))}"
    )
    return Fix(
        "Send the directory’s attribute as a tag (IAM Identity Center)",
        TAGS_ACT,
        text,
        note="If attributes are already configured, use update- instead of create-. Permission "
        f"sets need sts:TagSession. {SOON}",
    )


def tag_resource(key: str, value: str) -> Fix:
    """Tags what the meter runs for."""
    text = (
        "aws bedrock tag-resource --resource-arn '<ARN OF THE RESOURCE>' --tags "
        f"{_tag(key, value, ('key', 'value'))}"
    )
    return Fix(
        "Tag the inference profile, model or throughput",
        TAGS_ACT,
        text,
        note=f"The rules must read resourceTags/{key}, and the key must be active. {SOON}",
    )


def activate(key: str) -> Fix:
    """Puts a key on the bill."""
    status = _shorthand({"TagKey": key, "Status": "Active"})
    text = f"aws ce update-cost-allocation-tags-status --cost-allocation-tags-status {status}"
    return Fix(
        "Once, in the account that pays: put the key on the bill",
        TAGS_ACT,
        text,
        note=BACKFILL,
    )


def owner_row(dimension: str, subject: Subject) -> Fix | None:
    """A row for the owner list; None where it could name neither a caller nor an account."""
    account = "" if subject.caller else subject.account
    if not subject.caller and not ACCOUNT.fullmatch(account):
        return None
    cells = (as_pattern(subject.pays_by), account, placeholder(dimension))
    header = f"iam_principal,usage_account_id,{dimension}"
    return Fix(
        "A row of the owner list",
        RULES_ACT,
        f"{header}\n{','.join(map(_csv, cells))}",
        "csv",
        "" if subject.caller else "It applies to all of the account that nothing else decides.",
    )


def allocation_rule(dimension: str, subject: Subject) -> Fix:
    """Spreads what nobody pays for."""
    noun = BY_NAME[dimension].noun
    take = {"unit": UNALLOCATED}
    if subject.caller:
        take["principal"] = as_pattern(subject.pays_by)
        what = read_principal(subject.caller).group_name
    else:
        take |= {"account": subject.account, "usage_type": as_pattern(subject.meter)}
        what = subject.meter
    text = "\n".join(
        (
            "[[allocation.rules]]",
            f"id = {toml(_slug(f'{what} {noun}'))}",
            f"name = {toml(f'{what}, to each {noun} by direct cost')}",
            f"for = {toml([BY_NAME[dimension].charged_as or dimension])}",
            f"take = {toml({name: text for name, text in take.items() if text})}",
            'by = "direct cost"',
            f"# to = {toml([placeholder(dimension)])}",
        )
    )
    note = "Without “to”, it is shared by all units with spend of their own."
    if not subject.caller:
        note += " It takes everything unallocated of this usage type, with or without a caller."
    return Fix("An allocation rule", RULES_ACT, text, "toml", note)


def follow_usage(reason: str) -> Fix:
    """Lets a kind of line go where the usage goes."""
    return Fix(
        "Let it follow usage",
        RULES_ACT,
        f'[allocation]\n{FOLLOWS[reason]} = "usage"',
        "toml",
        "Each unit then bears its share, in the statement’s own column for it.",
    )


def merge_rule(dimension: str, spelled: Mapping[str, Sequence[str]]) -> Fix:
    """Makes several spellings one value."""
    text = f"[attribution.merge]\n{dimension} = {toml(dict(spelled))}"
    return Fix("Merge the spellings", RULES_ACT, text, "toml")


def further_source(dimension: str, key: str, rules: AttributionRules) -> Fix:
    """Asks for a tag key last, where nothing before it decides."""
    sources = [*rules.describe()[dimension], key]
    text = f"[attribution]\n{dimension} = {toml(sources)}"
    return Fix(f"Read the {BY_NAME[dimension].noun} from this key", RULES_ACT, text, "toml")


def as_pattern(text: str) -> str:
    """A text as the owner list and rules take it: `*` for what they can't hold."""
    held = BROKEN_LINE.sub(STAR, text)
    return tidied(OTHER_WILDCARDS.sub(STAR, held))


def toml(value: Any) -> str:  # noqa: ANN401  (whatever TOML holds)
    """A value in one line of TOML."""
    if isinstance(value, Mapping):
        pairs = (f"{_toml_key(key)} = {toml(each)}" for key, each in value.items())
        return f"{{ {', '.join(pairs)} }}" if value else "{}"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return f"[{', '.join(map(toml, value))}]"


def _toml_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_]+", key) and not key.isdigit() else toml(key)


def _option(name: str, value: str) -> str:
    """An option with its value; one that begins with a dash would be read as an option itself."""
    return f"--{name}{'=' if value.startswith('-') else ' '}{shlex.quote(value)}"


def _tag(key: str, value: str, names: tuple[str, str] = ("Key", "Value")) -> str:
    if SHORTHAND.fullmatch(key) and SHORTHAND.fullmatch(value):
        return _shorthand({names[0]: key, names[1]: value})
    return shlex.quote(json.dumps([{names[0]: key, names[1]: value}], ensure_ascii=False))


def _shorthand(pairs: Mapping[str, str]) -> str:
    if all(map(SHORTHAND.fullmatch, pairs.values())):
        return shlex.quote(",".join(f"{name}={value}" for name, value in pairs.items()))
    return shlex.quote(json.dumps([dict(pairs)], ensure_ascii=False))


def _csv(cell: str) -> str:
    """By RFC 4180."""
    return '"' + cell.replace('"', '""') + '"' if re.search(r'[",]', cell) else cell


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-") or "rule"


def _in(account: str) -> str:
    return f", in account {account}" if account else ""
