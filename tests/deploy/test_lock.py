"""What `make lock` wrote: every package at one version with its hashes, and none forgotten."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
FILES = ["requirements", "requirements-dev", "tools/focus-validator/requirements"]


def requirements(file: str) -> list[tuple[Requirement, set[str]]]:
    """The requirements in a file, each with its hashes; an option, as of an index, is a fault."""
    text = re.sub(r"#.*", "", (ROOT / file).read_text()).replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found = []
    for line in lines:
        if file.endswith(".in") and line.startswith(("-r ", "-c ")):
            continue
        requirement, *hashes = line.split(" --hash=")
        found.append((Requirement(requirement), {digest.strip() for digest in hashes}))
    return found


def pins(file: str) -> dict[str, set[tuple[str, frozenset[str]]]]:
    """Of each package in a locked file, its versions with their hashes."""
    found: dict[str, set[tuple[str, frozenset[str]]]] = {}
    for requirement, hashes in requirements(file):
        versions = found.setdefault(canonicalize_name(requirement.name), set())
        versions.add((str(requirement.specifier), frozenset(hashes)))
    return found


@pytest.mark.parametrize("file", FILES)
def test_every_package_is_pinned_and_has_hashes(file: str) -> None:
    locked = requirements(f"{file}.txt")
    assert len(locked) > len(requirements(f"{file}.in"))
    for requirement, hashes in locked:
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), requirement
        assert requirement.url is None
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in hashes), requirement


@pytest.mark.parametrize("file", FILES)
def test_what_is_asked_for_is_locked_at_that_version(file: str) -> None:
    locked = pins(f"{file}.txt")
    for requirement, _ in requirements(f"{file}.in"):
        versions = {version for version, _ in locked[canonicalize_name(requirement.name)]}
        assert versions == {str(requirement.specifier)}, requirement


def test_the_tests_run_on_what_the_dashboard_runs_on() -> None:
    runtime, development = pins("requirements.txt"), pins("requirements-dev.txt")
    assert {name: development.get(name) for name in runtime} == runtime
