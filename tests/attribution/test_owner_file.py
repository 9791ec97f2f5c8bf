"""Saving an owner list: who may, what a crash leaves, and what the second of two people is told."""

from __future__ import annotations

import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from chargeback.access.change import AccessSettings, Actor, ChangeRefused
from chargeback.attribution.owner_draft import Draft, Entry, draft_of, read_list
from chargeback.attribution.owner_file import (
    KEPT,
    ROWS_TOLD,
    ListChanged,
    last_saved,
    save,
    why_read_only,
)
from chargeback.attribution.owners import OwnerListError
from chargeback.errors import Problem
from chargeback.settings import Settings
from chargeback.store.settings import StoreSettings
from tests.athena.failures import Refusal
from tests.athena.server import AthenaService
from tests.ledger.conftest import location, s3, s3_service

__all__ = ["location", "s3", "s3_service"]

ROLE = "arn:aws:iam::111122223333:role/search"
OLD = f"iam_principal,team\n{ROLE},search\n"
ANN = Actor("ann@example.com", kind="signed in")
BOB = Actor("bob@example.com", kind="signed in")
EVE = Actor("eve@example.com", kind="signed in")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "lists" / "owners.csv"
    file.parent.mkdir()
    file.write_text(OLD, "utf-8")
    return file


@pytest.fixture
def rules(tmp_path: Path) -> Settings:
    access = AccessSettings(writers=["ann@example.com", "bob@example.com"])
    return Settings(ledger=tmp_path / "ledger", access=access)


def with_team(file: Path, team: str, key: str = "*") -> Draft:
    """The list with a row more."""
    read = read_list(file)
    return draft_of(read, [*read.entries, Entry.of({"iam_principal": key, "team": team})])


def test_a_saved_list_is_there_with_who_when_and_the_one_before(
    file: Path, rules: Settings
) -> None:
    draft = with_team(file, "others")
    save(file, draft, ANN, rules)
    assert file.read_text("utf-8") == f"{OLD}*,others\n"
    (entry,) = rules.open_ledger().changes()
    assert (entry["who"], entry["what"]) == (str(ANN), "changed the owner list owners.csv")
    assert rules.open_ledger().objects.read(entry["before"]["kept"]) == OLD.encode()
    new = {"iam_principal": "*", "team": "others"}
    assert entry["after"]["rows"] == [{"line": None, "before": None, "after": new}]
    assert rules.open_ledger().verify_changes() is None
    saved = last_saved(file, read_list(file).sha256, rules.open_ledger())
    assert saved is not None
    assert (saved.who, saved.at.isoformat()) == (str(ANN), entry["when"])
    assert [path.name for path in file.parent.iterdir()] == ["owners.csv"]


def test_a_list_that_is_not_there_yet_is_made(file: Path, rules: Settings) -> None:
    file.unlink()
    save(file, with_team(file, "others"), ANN, rules)
    assert read_list(file).entries[0].cells["team"] == "others"
    (entry,) = rules.open_ledger().changes()
    assert entry["before"]["kept"] == ""


def test_who_may_read_and_write_the_file_stays(file: Path, rules: Settings) -> None:
    file.chmod(0o660)
    save(file, with_team(file, "others"), ANN, rules)
    assert file.stat().st_mode & 0o777 == 0o660


def test_a_link_to_the_list_stays_a_link(file: Path, rules: Settings, tmp_path: Path) -> None:
    link = tmp_path / "owners.csv"
    link.symlink_to(file)
    save(link, with_team(link, "others"), ANN, rules)
    assert link.is_symlink()
    assert "others" in file.read_text("utf-8")


@pytest.mark.parametrize(
    "actor", [EVE, Actor("", kind="visitor"), Actor("ann@example.com", kind="visitor")]
)
def test_who_may_not_is_refused_and_written_down(file: Path, rules: Settings, actor: Actor) -> None:
    with pytest.raises(ChangeRefused, match=r"change the owner list owners\.csv"):
        save(file, with_team(file, "others"), actor, rules)
    assert file.read_text("utf-8") == OLD
    (entry,) = rules.open_ledger().changes()
    assert (entry["who"], entry["what"][:8]) == (str(actor), "refused:")


def test_a_setting_makes_lists_read_only_for_everybody(file: Path, rules: Settings) -> None:
    rules.access.read_only_owners = True
    assert "read_only_owners" in why_read_only(file, rules)
    with pytest.raises(ChangeRefused, match="read_only_owners"):
        save(file, with_team(file, "others"), ANN, rules)
    assert file.read_text("utf-8") == OLD


@pytest.mark.parametrize("name", ["nowhere/owners.csv", "lists"])
def test_a_list_that_cannot_be_written_is_read_only(
    file: Path, rules: Settings, tmp_path: Path, name: str
) -> None:
    assert why_read_only(file, rules) == ""
    path = tmp_path / name
    assert why_read_only(path, rules) == f"This server can't write to {path.name}."
    with pytest.raises(ChangeRefused, match="can't write"):
        save(path, with_team(file, "others"), ANN, rules)


def test_a_draft_with_a_fault_is_not_saved(file: Path, rules: Settings) -> None:
    with pytest.raises(OwnerListError, match="line 3: as line 2, but with another team"):
        save(file, with_team(file, "others", ROLE), ANN, rules)
    assert file.read_text("utf-8") == OLD
    assert list(rules.open_ledger().changes()) == []


def test_the_second_of_two_is_told_who_saved_and_overwrites_nothing(
    file: Path, rules: Settings
) -> None:
    anns, bobs = with_team(file, "anns"), with_team(file, "bobs")
    save(file, anns, ANN, rules)
    with pytest.raises(ListChanged, match=r"ann@example\.com saved it on 20..-..-.. at ..:.. UTC"):
        save(file, bobs, BOB, rules)
    assert file.read_bytes() == anns.content
    save(file, with_team(file, "bobs", "b*"), BOB, rules)
    assert [entry["who"] for entry in rules.open_ledger().changes()] == [str(ANN), str(BOB)]


def test_who_changed_the_file_by_hand_is_not_guessed(file: Path, rules: Settings) -> None:
    save(file, with_team(file, "anns"), ANN, rules)
    bobs = with_team(file, "bobs", "b*")
    file.write_text(f"{OLD}*,by hand\n", "utf-8")
    with pytest.raises(ListChanged, match="changed outside this page"):
        save(file, bobs, BOB, rules)
    assert "by hand" in file.read_text("utf-8")


def test_of_many_at_once_one_saves(file: Path, rules: Settings) -> None:
    drafts = [with_team(file, f"team {n}") for n in range(6)]
    together = Barrier(len(drafts))

    def attempt(draft: Draft) -> bool:
        together.wait()
        try:
            save(file, draft, ANN, rules)
        except ListChanged:
            return False
        return True

    with ThreadPoolExecutor(len(drafts)) as pool:
        won = list(pool.map(attempt, drafts))
    assert won.count(True) == 1
    assert file.read_bytes() == drafts[won.index(True)].content
    assert len(list(rules.open_ledger().changes())) == 1


def test_a_disk_that_fails_leaves_the_list_and_says_so(
    file: Path, rules: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft, replace = with_team(file, "others"), Path.replace

    def fail(path: Path, to: Path) -> Path:
        if to == file:
            raise OSError(28, "No space left on device")
        return replace(path, to)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(Problem, match=r"could not be saved: No space left.*unchanged"):
        save(file, draft, ANN, rules)
    assert file.read_text("utf-8") == OLD
    assert [path.name for path in file.parent.iterdir()] == ["owners.csv"]
    *_, last = rules.open_ledger().changes()
    assert last["what"] == "could not change the owner list owners.csv"
    assert last_saved(file, read_list(file).sha256, rules.open_ledger()) is None


def save_until(step: int, file: Path, draft: Draft, rules: Settings) -> int:
    """Saves in a process that is killed when it opens or renames a file the `step`th time.

    Only files of the test are counted: what Python itself opens differs from save to save.
    """
    folder = file.parent.parent
    child = os.fork()
    if child == 0:
        left = [step]

        def count(event: str, args: tuple[object, ...]) -> None:
            if event in {"open", "os.rename", "os.mkdir"} and str(folder) in str(args[0]):
                left[0] -= 1
                if left[0] == 0:
                    os._exit(9)

        sys.addaudithook(count)
        save(file, draft, ANN, rules)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_crash_between_any_steps_leaves_one_list_whole_and_none_unaccounted(
    tmp_path: Path, file: Path, rules: Settings
) -> None:
    draft, step, seen = with_team(file, "others"), 1, set()
    while save_until(step, file, draft, rules):
        content = file.read_bytes()
        seen.add(content)
        assert content in {OLD.encode(), draft.content}
        if content == draft.content:
            *_, last = rules.open_ledger().changes()
            assert last["after"]["sha256"] == draft.sha256
            assert rules.open_ledger().objects.read(last["before"]["kept"]) == OLD.encode()
            file.write_text(OLD, "utf-8")
        # A list that was kept in the same second is not kept again: without a ledger from before,
        # every save takes the same steps, whatever the clock says.
        shutil.rmtree(tmp_path / "ledger", ignore_errors=True)
        step += 1
    assert step > 10
    assert seen == {OLD.encode(), draft.content}
    assert file.read_bytes() == draft.content


# A ledger in S3.


@pytest.fixture
def rules_in_s3(location: str, rules: Settings, tmp_path: Path) -> Settings:
    return rules.model_copy(
        update={"ledger": location, "store": StoreSettings(location=tmp_path / "store")}
    )


def test_a_list_is_kept_and_its_change_written_down_in_s3(
    file: Path, rules_in_s3: Settings
) -> None:
    draft = with_team(file, "others")
    save(file, draft, ANN, rules_in_s3)
    assert file.read_bytes() == draft.content
    ledger = rules_in_s3.open_ledger()
    (entry,) = ledger.changes()
    assert ledger.objects.read(entry["before"]["kept"]) == OLD.encode()
    assert ledger.verify_changes() is None
    saved = last_saved(file, draft.sha256, ledger)
    assert saved is not None
    assert saved.who == str(ANN)
    assert [path.name for path in file.parent.iterdir()] == ["owners.csv"]


def test_where_s3_keeps_nothing_the_list_stays_and_who_may_not_still_may_not(
    file: Path, rules_in_s3: Settings, s3: AthenaService
) -> None:
    s3.failures.plan(Refusal("PutObject", "AccessDenied", "Access Denied", 403))
    with pytest.raises(Problem, match=r"could not be saved: AWS denied access.*unchanged"):
        save(file, with_team(file, "others"), ANN, rules_in_s3)
    with pytest.raises(ChangeRefused, match="You may not do this"):
        save(file, with_team(file, "others"), EVE, rules_in_s3)
    assert file.read_text("utf-8") == OLD


def test_the_ledger_spells_out_only_so_many_rows(file: Path, rules: Settings) -> None:
    read = read_list(file)
    new = [Entry.of({"iam_principal": f"role-{n}", "team": "x"}) for n in range(ROWS_TOLD + 1)]
    save(file, draft_of(read, [*read.entries, *new]), ANN, rules)
    (entry,) = rules.open_ledger().changes()
    assert (entry["after"]["rows_changed"], len(entry["after"]["rows"])) == (51, ROWS_TOLD)
    assert len(rules.open_ledger().objects.names(f"{KEPT}/")) == 1
