"""Every fix is one: AWS's own models know each command, the program itself reads rows and rules."""

from __future__ import annotations

import json
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.model import ListShape, OperationModel, Shape, StructureShape
from hypothesis import given
from hypothesis import strategies as st

from chargeback.attribution.owners import read_owners
from chargeback.attribution.principal_pattern import matches
from chargeback.attribution.rules import NAMES, AttributionRules
from chargeback.dimensions import UNALLOCATED, WITH_SOURCE
from chargeback.doctor.fixes import (
    Fix,
    Subject,
    as_pattern,
    fixes,
    further_source,
    merge_rule,
    tag_key,
    tag_resource,
    tag_role,
    tag_user,
    toml,
)
from chargeback.doctor.reasons import NOTHING_TO_DO, REASONS, RULES_ACT, TAGS_ACT
from chargeback.statement.allocation_settings import AllocationSettings

ACCOUNT = "111122223333"
ROLES = f"arn:aws:sts::{ACCOUNT}:assumed-role"
RULES = AttributionRules()
CALLERS = {
    "no caller": "",
    "role": f"arn:aws:iam::{ACCOUNT}:role/service/chat-backend",
    "role session": f"{ROLES}/llm-gateway/acme",
    "EC2 instance": f"{ROLES}/reindex/i-0a1b2c3d4e5f67890",
    "SSO user": f"{ROLES}/AWSReservedSSO_Developer_0123456789abcdef/jane.doe@example.com",
    "IAM user": f"arn:aws:iam::{ACCOUNT}:user/ci-evals",
    "Bedrock API key": f"arn:aws:iam::{ACCOUNT}:user/BedrockAPIKey-234s",
    "root": f"arn:aws:iam::{ACCOUNT}:root",
    "federated user": f"arn:aws:sts::{ACCOUNT}:federated-user/pat.lee",
    "unrecognised": "who knows",
    "hostile": f"{ROLES}/$(rm -rf ~); 'x' \"y\" & `id`\n--force/s",
    "an option": f"arn:aws:iam::{ACCOUNT}:user/--user-name",
}
NAMELESS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


def all_fixes() -> Iterator[tuple[str, str, str, Fix]]:
    for dimension in (each.name for each in WITH_SOURCE):
        for reason in REASONS:
            for who, caller in CALLERS.items():
                subject = Subject(caller, ACCOUNT, "" if caller else "USE1-NovaPro-input-tokens")
                for fix in fixes(dimension, reason, subject, RULES):
                    yield dimension, reason, who, fix


COMMANDS = sorted({fix.text for *_, fix in all_fixes() if fix.language == "bash"})


@pytest.fixture(scope="module")
def aws() -> botocore.session.Session:
    return botocore.session.get_session()


def operation_of(aws: botocore.session.Session, service: str, name: str) -> OperationModel:
    model = aws.get_service_model(service)
    named = {xform_name(each, "-"): each for each in model.operation_names}
    return model.operation_model(named[name])


def parsed(command: str, aws: botocore.session.Session) -> tuple[str, dict[str, Any]]:
    """The operation, and what it would be called with; as AWS's command line reads it."""
    program, service, name, *words = shlex.split(command)
    assert program == "aws"
    operation = operation_of(aws, service, name)
    takes = operation.input_shape
    assert takes is not None
    members = takes.members
    options = {f"--{xform_name(member, '-')}": member for member in members}
    given: dict[str, Any] = {}
    while words:
        option, equals, value = words.pop(0).partition("=")
        member = options[option]
        given[member] = value_of(value if equals else words.pop(0), members[member])
    check(given, takes)
    return operation.name, given


def value_of(text: str, shape: Shape) -> Any:  # noqa: ANN401  (as its shape says)
    if not isinstance(shape, ListShape | StructureShape):
        return text
    if text.startswith(("[", "{")):
        return json.loads(text)
    pairs = dict(pair.split("=", 1) for pair in text.split(","))
    return [pairs] if isinstance(shape, ListShape) else pairs


def check(value: Any, shape: Shape) -> None:  # noqa: ANN401  (as its shape says)
    """Asserts that members are known and that none is missing."""
    if isinstance(shape, StructureShape):
        assert isinstance(value, Mapping)
        assert set(value) <= set(shape.members)
        assert set(shape.required_members) <= set(value)
        for name, each in value.items():
            check(each, shape.members[name])
    elif isinstance(shape, ListShape):
        assert isinstance(value, list)
        for each in value:
            check(each, shape.member)
    else:
        assert isinstance(value, str)
        assert value in getattr(shape, "enum", []) or not getattr(shape, "enum", [])


@pytest.mark.parametrize("command", COMMANDS)
def test_aws_knows_each_command(command: str, aws: botocore.session.Session) -> None:
    parsed(command, aws)


def test_there_is_a_command_for_each_way_to_tag(aws: botocore.session.Session) -> None:
    assert {parsed(command, aws)[0] for command in COMMANDS} == {
        "AssumeRole",
        "CreateInstanceAccessControlAttributeConfiguration",
        "TagResource",
        "TagRole",
        "TagUser",
        "UpdateCostAllocationTagsStatus",
    }


@given(NAMELESS, NAMELESS, NAMELESS)
def test_what_others_named_arrives_letter_by_letter(name: str, key: str, value: str) -> None:
    aws = botocore.session.get_session()
    tags = [{"Key": key, "Value": value}]
    of_role = parsed(tag_role(name, key, value, ACCOUNT).text, aws)
    assert of_role == ("TagRole", {"RoleName": name, "Tags": tags})
    of_user = parsed(tag_user(name, key, value, ACCOUNT).text, aws)
    assert of_user == ("TagUser", {"UserName": name, "Tags": tags})
    _, of_resource = parsed(tag_resource(key, value).text, aws)
    assert of_resource["tags"] == [{"key": key, "value": value}]


@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_has_a_fix_for_each_caller_or_needs_none(reason: str) -> None:
    found = {(dimension, who) for dimension, of, who, _ in all_fixes() if of == reason}
    none_needed = REASONS[reason].acts == NOTHING_TO_DO
    assert len(found) == (0 if none_needed else len(WITH_SOURCE) * len(CALLERS))


def test_tags_act_from_now_on_and_rules_on_past_months_too() -> None:
    for *_, fix in all_fixes():
        assert fix.acts == (RULES_ACT if fix.language in ("toml", "csv") else TAGS_ACT)


@pytest.mark.parametrize(
    ("who", "operation"),
    [
        ("role", "TagRole"),
        ("EC2 instance", "TagRole"),
        ("SSO user", "CreateInstanceAccessControlAttributeConfiguration"),
        ("IAM user", "TagUser"),
        ("Bedrock API key", "TagUser"),
    ],
)
def test_a_caller_is_tagged_where_its_tags_lie(
    who: str, operation: str, aws: botocore.session.Session
) -> None:
    first, second, *_ = fixes("team", "no-tag", Subject(CALLERS[who], ACCOUNT), RULES)
    assert parsed(first.text, aws)[0] == operation
    assert parsed(second.text, aws)[1] == {
        "CostAllocationTagsStatus": [{"TagKey": "iamPrincipal/team", "Status": "Active"}]
    }


def test_the_key_is_the_one_that_the_rules_ask_for() -> None:
    spelled = AttributionRules(team=["resourceTags/app", "iamPrincipal/Squad"])
    assert tag_key("team", spelled) == "Squad"
    assert tag_key("cost_center", RULES) == "cost-center"
    assert tag_key("team", AttributionRules(team=["account"])) == "team"


@given(NAMELESS)
def test_an_owner_row_names_its_caller(caller: str) -> None:
    rows = [fix for fix in fixes("team", "no-tag", Subject(caller, ACCOUNT), RULES) if is_row(fix)]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "owners.csv"
        file.write_text(rows[0].text, "utf-8", newline="")
        (row,) = read_owners(file)
    assert matches(row.iam_principal, caller)
    assert (row.usage_account_id, row.values) == ("", {"team": "<TEAM>"})


@pytest.mark.parametrize("dimension", NAMES)
@pytest.mark.parametrize("who", CALLERS)
def test_an_owner_row_is_one_of_the_list(dimension: str, who: str, tmp_path: Path) -> None:
    subject = Subject(CALLERS[who], ACCOUNT)
    (fix,) = filter(is_row, fixes(dimension, "no-tag", subject, RULES))
    (tmp_path / "owners.csv").write_text(fix.text, "utf-8")
    (row,) = read_owners(tmp_path / "owners.csv")
    assert set(row.values) == {dimension}
    known = [name for name in (subject.caller, subject.pays_by) if name]
    assert not row.iam_principal or any(matches(row.iam_principal, name) for name in known)
    assert row.usage_account_id in ("", ACCOUNT)


def is_row(fix: Fix) -> bool:
    return fix.language == "csv"


def test_a_roles_row_counts_for_all_its_sessions() -> None:
    (fix,) = filter(is_row, fixes("team", "gateway", Subject(CALLERS["role session"], ""), RULES))
    assert fix.text.endswith(f"\narn:aws:iam::{ACCOUNT}:role/llm-gateway,,<TEAM>")


@pytest.mark.parametrize("text", [fix.text for *_, fix in all_fixes() if fix.language == "toml"])
def test_a_rule_is_one_that_the_statement_takes(text: str) -> None:
    said = AllocationSettings.model_validate(tomllib.loads(text)["allocation"])
    assert said.is_set
    for rule in said.rules:
        assert rule.take.unit == UNALLOCATED
        assert rule.take.conditions()
        assert len(rule.for_) == 1


def test_a_receiver_can_be_put_in() -> None:
    (fix,) = (
        fix
        for fix in fixes("tenant", "gateway", Subject(CALLERS["role session"], ACCOUNT), RULES)
        if fix.language == "toml"
    )
    text = fix.text.replace('# to = ["<TENANT>"]', 'to = ["acme"]')
    (rule,) = AllocationSettings.model_validate(tomllib.loads(text)["allocation"]).rules
    assert (rule.to, rule.for_) == (("acme",), ("tenant",))


def test_nothing_takes_more_than_is_shown() -> None:
    nameless = fixes("team", "meter", Subject("", "", ""), RULES)
    assert [fix.language for fix in nameless] == ["bash"]


values = st.recursive(
    st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.text(st.characters(exclude_categories=["Cs"])), values)
def test_any_value_can_be_read_back(key: str, value: object) -> None:
    assert tomllib.loads(f"x = {toml({key: value})}") == {"x": {key: value}}


def test_a_merge_rule_is_one_that_the_program_takes() -> None:
    spelled = {"Team-A": ["team_a ", 'te"am\\a']}
    said = tomllib.loads(merge_rule("team", spelled).text)["attribution"]
    assert AttributionRules.model_validate(said).merge == {"team": spelled}


def test_a_further_source_stands_behind_those_in_force() -> None:
    before = AttributionRules.model_validate(
        {"team": ["iamPrincipal/team", {"account": {ACCOUNT: "shop"}}]}
    )
    said = tomllib.loads(further_source("team", "resourceTags/app", before).text)["attribution"]
    after = AttributionRules.model_validate(said)
    assert [*before.team, "resourceTags/app"] == after.team


def test_a_pattern_keeps_what_it_can() -> None:
    assert as_pattern("arn:aws:iam::1:role/a[b]c") == "arn:aws:iam::1:role/a*b*c"
    assert as_pattern("a\nb") == "a*b"
