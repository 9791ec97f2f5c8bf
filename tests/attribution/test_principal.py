"""Every form that an IAM principal takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeback.attribution.principal import read_principal

ROLE = "arn:aws:iam::111122223333:role"
SESSION = "arn:aws:sts::111122223333:assumed-role"

FORMS = [
    # as billed, type, name, group, group name, session
    ("arn:aws:iam::111122223333:user/alice", "IAM user", "alice", None, "alice", ""),
    ("arn:aws:iam::111122223333:user/eng/ml/bob", "IAM user", "bob", None, "bob", ""),
    (
        "arn:aws:iam::111122223333:user/BedrockAPIKey-234s",
        "Bedrock API key",
        "BedrockAPIKey-234s",
        None,
        "BedrockAPIKey-234s",
        "",
    ),
    (f"{SESSION}/gateway/acme", "role session", "acme", f"{ROLE}/gateway", "gateway", "acme"),
    (
        f"{SESSION}/AWSReservedSSO_Dev_Access_0123456789abcdef/jane@acme.org",
        "SSO user",
        "jane@acme.org",
        "jane@acme.org",
        "jane@acme.org",
        "jane@acme.org",
    ),
    (
        f"{SESSION}/web/i-0123456789abcdef0",
        "EC2 instance",
        "i-0123456789abcdef0",
        f"{ROLE}/web",
        "web",
        "i-0123456789abcdef0",
    ),
    (
        f"{SESSION}/pods/eks-prod-api-7f-01234567-89ab-cdef-0123-456789abcdef",
        "EKS pod",
        "eks-prod-api-7f-01234567-89ab-cdef-0123-456789abcdef",
        f"{ROLE}/pods",
        "pods",
        "eks-prod-api-7f-01234567-89ab-cdef-0123-456789abcdef",
    ),
    (
        f"{SESSION}/resize-role-1a2b3c4d/resize",
        "Lambda function",
        "resize",
        f"{ROLE}/resize-role-1a2b3c4d",
        "resize-role-1a2b3c4d",
        "resize",
    ),
    (
        f"{SESSION}/gateway/*",
        "role session",
        "other sessions",
        f"{ROLE}/gateway",
        "gateway",
        "other sessions",
    ),
    (
        f"{SESSION}/gateway/sdk-*",
        "role session",
        "other sessions, named by an SDK",
        f"{ROLE}/gateway",
        "gateway",
        "other sessions, named by an SDK",
    ),
    (f"{ROLE}/service/path/Batch", "role", "Batch", None, "Batch", ""),
    ("arn:aws:sts::111122223333:federated-user/eve", "federated user", "eve", None, "eve", ""),
    ("arn:aws:iam::111122223333:root", "root", "root", None, "root", ""),
    *(
        (text, "unrecognised", text, None, text, "")
        for text in (
            f"{SESSION}/gateway",
            f"{SESSION}/gateway/",
            f"{SESSION}//acme",
            f"{SESSION}/AWSReservedSSO_Dev_Access_0123456789abcdef/",
            "arn:aws:iam::111122223333:user/",
        )
    ),
    ("not an arn", "unrecognised", "not an arn", None, "not an arn", ""),
    ("", "none", "(no principal)", "", "(no principal)", ""),
]


@pytest.mark.parametrize(("text", "kind", "name", "group", "group_name", "session"), FORMS)
def test_form(
    text: str, kind: str, name: str, group: str | None, group_name: str, session: str
) -> None:
    read = read_principal(text)
    expected = (kind, name, text if group is None else group, group_name, session)
    assert (read.type, read.name, read.group, read.group_name, read.session) == expected


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_other_partitions(partition: str) -> None:
    read = read_principal(f"arn:{partition}:sts::111122223333:assumed-role/gateway/acme")
    assert (read.type, read.account_id) == ("role session", "111122223333")
    assert read.group == f"arn:{partition}:iam::111122223333:role/gateway"


def test_null_is_like_empty() -> None:
    assert read_principal(None) == read_principal("")


@given(
    st.text()
    | st.from_regex(r"arn:aws:(iam|sts)::[0-9]{12}:.*", fullmatch=True)
    | st.from_regex(rf"{SESSION}/(AWSReservedSSO_a_[0-9a-f]{{16}})?/?.*", fullmatch=True)
)
def test_any_text_is_kept_as_billed(text: str) -> None:
    read = read_principal(text)
    assert read.iam_principal == text
    assert read.group_name
    assert (read.group == "") == (text == "")
