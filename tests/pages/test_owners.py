"""The page of the owner list: edited, judged, previewed and saved by whoever may."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from chargeback.access.change import AccessSettings, Actor
from chargeback.attribution.owner_draft import Entry, draft_of, read_list
from chargeback.attribution.owner_file import save
from chargeback.ledger import changes
from chargeback.settings import Settings
from tests.pages.conftest import Bill, OpenPage, table
from tests.pages.test_sign_in import ANN, PROVIDER, secrets

__all__ = ["secrets"]

GATEWAY = "arn:aws:iam::*:role/llm-gateway"
OLD = f"iam_principal,usage_account_id,team\n{GATEWAY},,gateway\n*role/nobody,,gateway\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "owners.csv"
    file.write_text(OLD, "utf-8")
    return file


@pytest.fixture
def open_owners(
    monkeypatch: pytest.MonkeyPatch, open_page: OpenPage, file: Path, tmp_path: Path
) -> Callable[..., AppTest]:
    """Opens the page with a rule that asks the list, after the figures were read."""
    rules = {"team": ["iamPrincipal/team", {"owners": str(file)}]}
    monkeypatch.setenv("CHARGEBACK_ATTRIBUTION", json.dumps(rules))
    monkeypatch.setenv("CHARGEBACK_LEDGER", str(tmp_path / "ledger"))
    return lambda **parameters: open_page("owners", **parameters)


def edit(app: AppTest, **state: Any) -> AppTest:  # noqa: ANN401 -- as the browser tells edits
    """Runs the page with edits in its table, as a browser sends them."""
    typed(app, **state)
    return app.run()


def typed(app: AppTest, **state: Any) -> None:  # noqa: ANN401 -- as the browser tells edits
    """What the browser tells of the table with the next run."""
    key = str(app.data_editor[0].key)
    app.session_state[key] = {"edited_rows": {}, "added_rows": [], "deleted_rows": [], **state}


def click(app: AppTest, key: str, **state: Any) -> AppTest:  # noqa: ANN401 -- as above
    """Clicks a button; a browser tells what was edited with each run, AppTest does not."""
    typed(app, **state)
    clicked: AppTest = button(app, key).click().run()
    return clicked


def button(app: AppTest, key: str) -> Any:  # noqa: ANN401 -- a button
    return next(each for each in app.button if each.key == key)


def entries(tmp_path: Path) -> list[dict[str, Any]]:
    return list(changes.entries(tmp_path / "ledger"))


def test_without_a_list_the_page_says_how_to_begin(open_page: OpenPage) -> None:
    app = open_page("owners")
    assert "No rule uses an owner list yet" in app.markdown[0].value
    assert '{ owners = "owners.csv" }' in app.code[0].value
    assert not app.data_editor


def test_the_list_stands_as_in_the_file_with_what_it_decides(
    open_owners: Callable[..., AppTest],
) -> None:
    app = open_owners()
    shown = app.data_editor[0].value
    assert list(shown["line"]) == [2, 3]
    assert list(shown["iam_principal"]) == [GATEWAY, "*role/nobody"]
    assert "decides team" in app.caption[0].value
    assert "project" not in app.data_editor[0].proto.column_order
    assert button(app, "save").disabled
    assert [row["why"] for row in table(app, "Lines without effect")] == [
        "Matches nobody on the stored bills."
    ]


def test_a_change_is_previewed_in_dollars_saved_and_shown_everywhere(
    open_owners: Callable[..., AppTest], open_page: OpenPage, file: Path, bill: Bill, tmp_path: Path
) -> None:
    change = {"edited_rows": {0: {"team": "platform"}}}
    app = edit(open_owners(), **change)
    moves = {row["unit"]: row for row in table(app, "What moves")}
    assert set(moves) == {"gateway", "platform"}
    assert moves["platform"]["now"] == 0
    cost = moves["platform"]["then"]
    assert cost > 0
    assert moves["gateway"]["difference"] == -moves["gateway"]["now"] == -cost
    months = [Decimal(moves["platform"][month]) for month in ("2026-09", "2026-10", "2026-11")]
    assert abs(sum(months) - cost) <= Decimal("0.000003"), "shown to six decimals"
    app = click(app, "save", **change)
    assert file.read_text("utf-8") == OLD.replace(f"{GATEWAY},,gateway", f"{GATEWAY},,platform")
    assert [said.value for said in app.success] == [
        "Saved 1 change to owners.csv. All pages show the new figures."
    ]
    assert "saved by this machine" in app.caption[0].value
    (entry,) = entries(tmp_path)
    assert (entry["who"], entry["after"]["rows_changed"]) == ("this machine", 1)
    teams = {
        row["name"]: row["cost"]
        for row in table(open_page("teams", month="2026-10"), "Teams by spend")
    }
    assert teams["platform"] == months[1]
    assert "gateway" not in teams


def test_what_is_wrong_stands_beside_its_line_and_is_not_saved(
    open_owners: Callable[..., AppTest], file: Path
) -> None:
    app = edit(
        open_owners(),
        edited_rows={1: {"usage_account_id": "12"}},
        added_rows=[{"iam_principal": GATEWAY, "team": "other", "effective_from": "2026-10-01"}],
    )
    head, _, *told = app.error[0].value.splitlines()
    assert head == "**2 lines to correct before you can save**"
    assert told[0].startswith("- Line 3, ")
    assert "account 12 has 2 digits" in told[0]
    assert told[1].endswith(": as line 2, but with another team for the same days.")
    assert button(app, "save").disabled
    assert file.read_text("utf-8") == OLD


def test_rows_that_contradict_each_other_on_the_bill_are_not_saved(
    open_owners: Callable[..., AppTest],
) -> None:
    literals = len(GATEWAY.replace("*", ""))
    other = "arn:aws:sts::111122223333:assumed-role/llm-gateway/"[:literals] + "*"
    app = edit(open_owners(), added_rows=[{"iam_principal": other, "team": "other"}])
    head, _, told = app.error[0].value.splitlines()
    assert head == "**1 line to correct before you can save**"
    assert "says team other, line 2 says gateway, and neither is more specific" in told
    assert button(app, "save").disabled


def test_a_row_is_ended_and_another_begins(open_owners: Callable[..., AppTest], file: Path) -> None:
    change = {
        "edited_rows": {0: {"effective_to": "2026-10-15"}},
        "added_rows": [{"iam_principal": GATEWAY, "team": "next", "effective_from": "2026-10-15"}],
        "deleted_rows": [1],
    }
    app = edit(open_owners(), **change)
    assert button(app, "save").label == "Save 3 changes"
    click(app, "save", **change)
    assert file.read_text("utf-8").splitlines() == [
        "iam_principal,usage_account_id,team,effective_from,effective_to",
        f"{GATEWAY},,gateway,,2026-10-15",
        f"{GATEWAY},,next,2026-10-15,",
    ]


def test_an_address_adds_a_row_for_a_caller_once(
    open_owners: Callable[..., AppTest], file: Path
) -> None:
    new = "arn:aws:iam::444455556666:user/ci-evals"
    app = open_owners(add=[new, new, GATEWAY])
    assert list(app.data_editor[0].value["iam_principal"]) == [GATEWAY, "*role/nobody", new]
    change = {"edited_rows": {2: {"team": "research"}}}
    app = click(edit(app, **change), "save", **change)
    assert file.read_text("utf-8") == f"{OLD}{new},,research\n"
    assert "add" not in app.query_params


def test_what_was_not_shown_yet_is_not_saved(
    open_owners: Callable[..., AppTest], file: Path
) -> None:
    """A click may come together with the edit that it ended."""
    app = edit(open_owners(), edited_rows={0: {"team": "seen"}})
    app = click(app, "save", edited_rows={0: {"team": "unseen"}})
    assert any("arrived together with the click" in each.value for each in app.warning)
    assert file.read_text("utf-8") == OLD
    click(app, "save", edited_rows={0: {"team": "unseen"}})
    assert "unseen" in file.read_text("utf-8")


def test_the_second_of_two_people_is_told_and_overwrites_nothing(
    open_owners: Callable[..., AppTest], file: Path, tmp_path: Path
) -> None:
    mine = {"edited_rows": {0: {"team": "mine"}}}
    app = edit(open_owners(), **mine)
    read = read_list(file)
    theirs = draft_of(read, [*read.entries, Entry.of({"iam_principal": "x", "team": "theirs"})])
    rules = Settings(ledger=tmp_path / "ledger", access=AccessSettings(writers=["bob@x.org"]))
    save(file, theirs, Actor("bob@x.org", kind="signed in"), rules)
    app = click(app, "save", **mine)
    assert file.read_bytes() == theirs.content
    assert any("bob" in each.value and "saved it on" in each.value for each in app.error)
    app = edit(app, **mine)
    assert any("While you were editing, bob" in each.value for each in app.warning)
    app = click(app, "load", **mine)
    assert list(app.data_editor[0].value["team"]) == ["gateway", "gateway", "theirs"]
    assert not app.warning


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"CHARGEBACK_ACCESS__READ_ONLY_OWNERS": "true"}, "read_only_owners"),
        ({"CHARGEBACK_OPEN_TO_ALL": "true"}, "On pages nobody may"),
    ],
)
def test_who_may_not_change_it_sees_the_list_and_why(
    monkeypatch: pytest.MonkeyPatch,
    open_owners: Callable[..., AppTest],
    setting: dict[str, str],
    said: str,
) -> None:
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    app = open_owners()
    assert not app.data_editor
    assert not [each for each in app.button if each.key == "save"]
    assert said in app.info[0].value.replace("\\", "")
    assert [row["iam_principal"] for row in table(app, "Owner list")] == [GATEWAY, "*role/nobody"]


def test_a_list_that_cannot_be_written_is_only_shown(
    monkeypatch: pytest.MonkeyPatch, open_owners: Callable[..., AppTest]
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    app = open_owners()
    assert not app.data_editor
    assert "can't write to owners.csv" in app.info[0].value


@pytest.mark.parametrize(("email", "may"), [("ann@example.com", True), ("eve@example.com", False)])
def test_of_those_who_signed_in_only_writers_change_it(
    monkeypatch: pytest.MonkeyPatch,
    open_owners: Callable[..., AppTest],
    secrets: Path,
    bill: Bill,
    email: str,
    may: bool,
) -> None:
    open_owners()
    secrets.write_text(PROVIDER)
    monkeypatch.setenv("CHARGEBACK_ACCESS__WRITERS", '["ann@example.com"]')
    app = open_owners_as(ANN | {"email": email})
    assert bool(app.data_editor) is may
    assert bool(app.info) is not may


def open_owners_as(user: dict[str, Any]) -> AppTest:
    import streamlit as st  # noqa: PLC0415

    from tests.pages.conftest import APP, RUN_SECONDS  # noqa: PLC0415

    st.cache_resource.clear()
    app = AppTest.from_file(APP, default_timeout=RUN_SECONDS)
    app.user = user
    app.run()
    app.switch_page("pages/owners.py")
    return app.run()


def test_a_broken_list_takes_all_pages_down_but_this_one(
    open_owners: Callable[..., AppTest], open_page: OpenPage, file: Path
) -> None:
    file.write_text(f"iam_principal,team,effective_from\n{GATEWAY},gateway,01.10.2026\n", "utf-8")
    assert "line 2" in open_page("teams", month="2026-10").error[0].value
    app = open_owners()
    assert list(app.data_editor[0].value["effective_from"]) == ["01.10.2026"]
    assert "Line 2" in app.error[0].value
    change = {"edited_rows": {0: {"effective_from": "2026-10-01"}}}
    app = edit(app, **change)
    assert any("No preview" in each.value for each in app.caption)
    click(app, "save", **change)
    assert "2026-10-01" in file.read_text("utf-8")


def test_hostile_text_stays_text(open_owners: Callable[..., AppTest], file: Path) -> None:
    hostile = "<b>:material/home: **x** [a](http://x.org)"
    change = {"edited_rows": {0: {"note": f"={hostile}", "owner_email": hostile}}}
    click(edit(open_owners(), **change), "save", **change)
    assert read_list(file).entries[0].cells["note"] == f"={hostile}"
    assert read_list(file).entries[0].cells["owner_email"] == hostile
    assert f",{hostile},'={hostile}" in file.read_text("utf-8")
