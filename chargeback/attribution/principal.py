"""Who called: every form that `line_item_iam_principal` takes.

Forms: IAM User Guide, "IAM identifiers" and "AWS STS: assumed-role ARNs"; Bedrock User Guide,
"IAM principal attribution".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

NO_PRINCIPAL = "(no principal)"

ARN = re.compile(r"arn:(aws[\w-]*):(iam|sts)::(\d{12}|aws)?:(.+)", re.DOTALL)
SSO_ROLE = re.compile(r"AWSReservedSSO_(.+)_[0-9a-f]{16}")
EC2_SESSION = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})")
ECS_SESSION = re.compile(r"[0-9a-f]{32}")
EKS_SESSION = re.compile(r"eks-.+-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
OTHER_SESSIONS, SDK_SESSIONS = "*", "sdk-*"
"""In place of a session's name, in the ARN under which sessions of a role are kept as one: those
that somebody named, and those that AWS's SDKs did. STS allows no `*` in a session's name
(AWS STS API Reference, AssumeRole, RoleSessionName)."""
FOLDED_NAMES = {
    OTHER_SESSIONS: "other sessions",
    SDK_SESSIONS: "other sessions, named by an SDK",
}
"""How people call them; no session's name has a space."""
LAMBDA_ROLE = re.compile(r".+-role-[0-9a-z]{8}")
LAMBDA_WORD = re.compile(r"(?:^|[-_.])lambda(?:[-_.]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Principal:
    """What an IAM principal's ARN says; absent text is ''."""

    iam_principal: str
    """As billed."""
    type: str
    account_id: str
    name: str
    """The exact caller, for people."""
    role: str
    """The role's name without path; of an SSO user the permission set."""
    session: str
    group: str
    """The key under which sessions gather: the role's ARN, or the SSO user; '' for none."""
    group_name: str

    @property
    def is_folded(self) -> bool:
        """Whether it stands for sessions of its role that are kept as one."""
        return self.session in _FOLDED


_FOLDED = frozenset(FOLDED_NAMES.values())


@lru_cache(maxsize=65_536)
def read_principal(iam_principal: str | None) -> Principal:
    """What the text says; never raises, and keeps the text as billed."""
    text = iam_principal or ""
    if not text:
        return Principal("", "none", "", NO_PRINCIPAL, "", "", "", NO_PRINCIPAL)
    parts = ARN.fullmatch(text)
    if parts is None:
        return _single(text, "unrecognised", "", text)
    partition, account, resource = parts[1], parts[3] or "", parts[4]
    kind, _, rest = resource.partition("/")
    if kind == "assumed-role" and all(rest.partition("/")):  # a role and a session
        return _session(text, partition, account, rest)
    if resource == "root":
        return _single(text, "root", account, "root")
    return _long_lived(text, account, kind, rest.rpartition("/")[2])


@lru_cache(maxsize=65_536)
def role_arn(iam_principal: str) -> str:
    """The ARN of the role that a session is of; '' for what is no session of a role."""
    parts = ARN.fullmatch(iam_principal)
    if parts is None:
        return ""
    kind, _, rest = parts[4].partition("/")
    role, slash, session = rest.partition("/")
    is_session = kind == "assumed-role" and role and slash and session
    return f"arn:{parts[1]}:iam::{parts[3] or ''}:role/{role}" if is_session else ""


def _long_lived(text: str, account: str, kind: str, name: str) -> Principal:
    if kind == "role" and name:
        return Principal(text, "role", account, name, name, "", text, name)
    if kind == "user" and name.startswith("BedrockAPIKey-"):
        return _single(text, "Bedrock API key", account, name)
    known = {"user": "IAM user", "federated-user": "federated user"}.get(kind) if name else None
    return _single(text, known or "unrecognised", account, name if known else text)


def _single(text: str, kind: str, account: str, name: str) -> Principal:
    return Principal(text, kind, account, name, "", "", text, name)


def _session(text: str, partition: str, account: str, rest: str) -> Principal:
    role, _, named = rest.partition("/")
    session = FOLDED_NAMES.get(named, named)
    sso = SSO_ROLE.fullmatch(role)
    if sso:
        return Principal(text, "SSO user", account, session, sso[1], session, session, session)
    group = f"arn:{partition}:iam::{account}:role/{role}"
    return Principal(
        text, _session_type(role, session), account, session, role, session, group, role
    )


def _session_type(role: str, session: str) -> str:
    if EC2_SESSION.fullmatch(session):
        return "EC2 instance"
    if EKS_SESSION.fullmatch(session):
        return "EKS pod"
    if ECS_SESSION.fullmatch(session):
        return "ECS task"
    if role.startswith("AWSServiceRoleFor"):
        return "AWS service"
    # The session of a Lambda function is named like the function; the console names its role
    # FUNCTION-role-xxxxxxxx (Lambda Developer Guide, "Execution role").
    if LAMBDA_WORD.search(role) or (LAMBDA_ROLE.fullmatch(role) and role.startswith(session)):
        return "Lambda function"
    return "role session"
