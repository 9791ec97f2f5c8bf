"""Which roles are gateways: those whose sessions stand for many callers."""

from __future__ import annotations

import pytest

from chargeback.attribution.gateways import MANY_CALLERS, Gateways
from chargeback.attribution.principal import Principal, read_principal

ROLE = "arn:aws:iam::111122223333:role/llm-gateway"


def sessions(*names: str, role: str = "llm-gateway") -> list[Principal]:
    arn = f"arn:aws:sts::111122223333:assumed-role/{role}"
    return [read_principal(f"{arn}/{name}") for name in names]


def gateway_roles(principals: list[Principal]) -> frozenset[str]:
    gateways = Gateways()
    for each in principals:
        gateways.see(each)
    return gateways.roles()


def test_many_named_sessions_make_a_gateway() -> None:
    few = sessions(*(f"tenant-{n}" for n in range(MANY_CALLERS - 1)))
    assert gateway_roles(few) == set()
    assert gateway_roles([*few, *few]) == set()
    assert gateway_roles([*few, *sessions("one-more")]) == {ROLE}


@pytest.mark.parametrize(
    "names",
    [
        [f"botocore-session-17300000{n:02}" for n in range(20)],
        [f"aws-sdk-js-session-17300000000{n:02}" for n in range(20)],
        [f"aws-sdk-java-17300000000{n:02}" for n in range(20)],
        [f"17300000000000000{n:02}" for n in range(20)],
        [f"i-0a1b2c3d4e5f678{n:02}" for n in range(20)],
        [f"eks-prod-agent-1f2e3d4c-0000-0000-0000-0000000000{n:02}" for n in range(20)],
    ],
)
def test_an_applications_own_sessions_make_none(names: list[str]) -> None:
    assert gateway_roles(sessions(*names)) == set()


def test_sessions_that_are_kept_as_one_make_a_gateway_as_they_did() -> None:
    assert gateway_roles(sessions("*")) == {ROLE}
    assert gateway_roles(sessions("sdk-*", "one", "two", "three")) == set()


def test_people_who_sign_in_are_no_gateway() -> None:
    role = "AWSReservedSSO_DeveloperAccess_0123456789abcdef"
    names = [f"person-{n}@example.com" for n in range(20)]
    others = map(read_principal, ("", "arn:aws:iam::111122223333:root"))
    assert gateway_roles([*sessions(*names, role=role), *others]) == set()
