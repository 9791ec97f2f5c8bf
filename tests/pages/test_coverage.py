"""The page Coverage over the demo bill: it adds up, and each row leads to its fix."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from chargeback.formats import money
from chargeback.ui.markdown import plain
from tests.bills import line, write_bill
from tests.pages.conftest import Bill, OpenPage, table

MONTH = "2026-10"
REASONS = "Unallocated spend by reason"
CENT = Decimal("0.01")
TAG = {
    "tenant": "iamPrincipal/tenant",
    "project": "iamPrincipal/project",
    "cost_center": "iamPrincipal/cost-center",
}
WITHOUT = (
    "COALESCE(list_filter(map_entries(tags), lambda tag: lower(tag.key) = '{}' "
    "AND tag.value <> '')[1].value, '') = ''"
)


def texts(app: AppTest) -> str:
    return "\n".join(each.value for each in (*app.caption, *app.markdown, *app.subheader))


@pytest.mark.parametrize("dimension", TAG)
def test_reasons_add_up_to_the_lines_without_the_tag(
    open_page: OpenPage, bill: Bill, dimension: str
) -> None:
    app = open_page("coverage", month=MONTH, to=dimension)
    unallocated = bill.total(MONTH, WITHOUT.format(TAG[dimension].lower()))
    rows = table(app, REASONS)
    assert abs(sum(row["cost"] for row in rows) - unallocated) < CENT
    assert abs(sum(row["share"] for row in rows) - 1) < Decimal("1e-10")  # of 12 decimals, each
    assert plain(money(unallocated, "USD")) in texts(app)
    share = 1 - unallocated / bill.total(MONTH)
    assert app.metric[0].value == f"{share:.1%}".replace("%", " %")


def test_sources_and_what_nothing_decided_make_the_bill(open_page: OpenPage, bill: Bill) -> None:
    rows = table(open_page("coverage", month=MONTH, to="cost_center"), "What decided")
    assert [row["source"] for row in rows] == ["iamPrincipal/cost-center", "(unallocated)"]
    assert abs(sum(row["cost"] for row in rows) - bill.total(MONTH)) < CENT


def test_a_reason_opens_its_callers_and_the_fix_for_the_largest(open_page: OpenPage) -> None:
    app = open_page("coverage", month=MONTH, to="cost_center", reason="no-tag")
    callers = table(app, "Callers by unallocated spend")
    (reason,) = (row for row in table(app, REASONS) if row["title"] == "Callers without the tag")
    assert abs(sum(row["cost"] for row in callers) - reason["cost"]) < CENT
    assert reason["callers"] == len(callers)
    assert callers[0]["title"] == "campaign-studio"
    commands = [each.value for each in app.code]
    assert commands[0].splitlines()[1] == (
        "arn:aws:iam::111122223333:role/campaign-studio,,<COST CENTER>"
    )
    tag = "'Key=cost-center,Value=<COST CENTER>'"
    assert f"aws iam tag-role --role-name campaign-studio --tags {tag}" in commands


def test_the_address_names_the_caller(open_page: OpenPage) -> None:
    user = "arn:aws:iam::444455556666:user/ci-evals"
    app = open_page("coverage", month=MONTH, to="team", reason="no-tag", caller=user)
    assert any("tag-user --user-name ci-evals" in each.value for each in app.code)


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("tax", 'tax = "usage"'),
        ("fee", 'other = "usage"'),
        ("meter", 'account = "777788889999"'),
        ("gateway", "sts:TagSession"),
        ("api-key", "aws iam tag-user --user-name BedrockAPIKey-"),
        ("blank-tag", "aws sso-admin create-instance-access-control-attribute-configuration"),
    ],
)
def test_each_reason_has_its_own_fix(open_page: OpenPage, reason: str, text: str) -> None:
    app = open_page("coverage", month=MONTH, to="team", reason=reason)
    assert any(text in each.value for each in app.code)


def test_internal_use_is_charged_to_cost_centers(open_page: OpenPage) -> None:
    app = open_page("coverage", month=MONTH, to="tenant", reason="internal-use")
    rows = table(app, "Internal use by cost center")
    (reason,) = (row for row in table(app, REASONS) if row["title"].startswith("Internal use"))
    assert abs(sum(row["cost"] for row in rows) - reason["cost"]) < CENT
    assert not app.code
    links = [link.proto for link in app.main.get("page_link")]
    assert ("chargeback", f"month={MONTH}&charge_to=cost_center") in [
        (link.page, link.query_string) for link in links
    ]


def test_closing_a_reason_takes_it_out_of_the_address(open_page: OpenPage) -> None:
    app = open_page("coverage", month=MONTH, to="team", reason="tax")
    next(button for button in app.button if button.label == "Close").click().run()
    assert "reason" not in app.query_params
    assert app.query_params["to"] == "team"
    assert not app.code


def test_a_reason_that_the_month_lacks_is_said(open_page: OpenPage) -> None:
    app = open_page("coverage", month=MONTH, to="team", reason="internal-use")
    assert [
        "internal\\-use" in each.value or "internal-use" in each.value for each in app.warning
    ] == [True]


def test_gateways_show_what_comes_with_session_tags(open_page: OpenPage, bill: Bill) -> None:
    (row,) = table(open_page("coverage", month=MONTH, look="gateways"), "Gateways by spend")
    where = "line_item_iam_principal LIKE '%:assumed-role/llm-gateway/%'"
    assert abs(row["cost"] - bill.total(MONTH, where)) < CENT
    untagged = f"{where} AND {WITHOUT.format('iamprincipal/tenant')}"
    assert abs(row["unnamed_cost"] - bill.total(MONTH, untagged)) < CENT
    assert row["callers"] - row["named_callers"] == 1


def test_tag_keys_that_no_rule_reads_are_listed(open_page: OpenPage) -> None:
    app = open_page("coverage", month=MONTH, look="keys", to="team")
    keys = [row["key"] for row in table(app, "Tag keys that no rule uses")]
    assert "resourceTags/team" in keys
    assert not any(key.casefold() == "iamprincipal/team" for key in keys)
    assert 'team = ["iamPrincipal/team", "accountTag/environment"]' in app.code[-1].value


HOSTILE = "*Team*-A</script>$x$`"


def test_spellings_and_hostile_names_stand_letter_by_letter(
    open_page: OpenPage, tmp_path: Path
) -> None:
    lines = [line("5.00", team=HOSTILE), line("2.00", team=HOSTILE.casefold()), line("1.00")]
    lines.append(line("4.00", principal="arn:aws:iam::111122223333:user/_x_ $y$ [z](http://a)"))
    small = Bill(write_bill(tmp_path / "cur", {MONTH: lines}), tmp_path / "store")
    app = open_page("coverage", bill=small, month=MONTH, to="team", look="spellings")
    (row,) = table(app, "Values spelled twice")
    assert (row["value"], row["kept"]) == (HOSTILE.casefold(), HOSTILE)
    assert HOSTILE in app.code[-1].value
    app = open_page("coverage", bill=small, month=MONTH, to="team", reason="no-tag")
    (heading,) = (each.value for each in app.markdown if "To fix" in each.value)
    assert plain("_x_ $y$ [z](http://a)") in heading or plain("a)") in heading


def test_a_tag_against_the_owner_list(
    open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = tmp_path / "owners.csv"
    listed.write_text("iam_principal,team\narn:aws:iam::111122223333:role/app,ads\n", "utf-8")
    rules = f'{{"team": ["iamPrincipal/team", {{"owners": "{listed}"}}]}}'
    monkeypatch.setenv("CHARGEBACK_ATTRIBUTION", rules)
    lines = [line("5.00", team="shop"), line("1.00", team="ads")]
    small = Bill(write_bill(tmp_path / "cur", {MONTH: lines}), tmp_path / "store")
    app = open_page("coverage", bill=small, month=MONTH, to="team", look="sources")
    (row,) = table(app, "Callers whose sources disagree")
    assert (row["unit"], row["other_unit"], row["other_source"]) == ("shop", "ads", "owner list")
    assert plain("All spend has a team.") in [each.value for each in app.success]


def test_the_owner_list_says_whom_to_ask(
    open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles = "arn:aws:iam::111122223333:role"
    rows = [
        "iam_principal,team,owner_email,effective_from,effective_to",
        f"{roles}/*,,everyone@example.com,,",
        f"{roles}/app,,ann@example.com,,",
        f"{roles}/job,,gone@example.com,,2026-10-01",
    ]
    listed = tmp_path / "owners.csv"
    listed.write_text("\n".join(rows), "utf-8")
    monkeypatch.setenv("CHARGEBACK_ATTRIBUTION", f'{{"team": [{{"owners": "{listed}"}}]}}')
    lines = [line("5.00"), line("4.00", principal=f"{roles}/job")]
    lines.append(line("3.00", principal="arn:aws:iam::111122223333:user/x", project="p"))
    small = Bill(write_bill(tmp_path / "cur", {MONTH: lines}), tmp_path / "store")
    app = open_page("coverage", bill=small, month=MONTH, to="team", reason="no-tag")
    asked = [row["ask"] for row in table(app, "Callers by unallocated spend")]
    assert asked == ["ann@example.com", "everyone@example.com", "–"]
    links = [each.proto for each in app.get("page_link")]
    (add,) = (link for link in links if link.label == "Add this row to the owner list")
    assert "add=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fapp" in add.query_string


def test_a_filter_that_leaves_nothing_says_so(open_page: OpenPage) -> None:
    app = open_page("coverage", month=MONTH, team="no such team")
    assert not app.metric
    assert [box.value for box in app.info] == [
        "Nothing in October 2026 matches the filters. Remove one to see more."
    ]


def test_a_month_before_callers_were_named(tmp_path: Path, open_page: OpenPage) -> None:
    lines = [line("3.00", principal=""), line("1.00", "Tax", principal="")]
    small = Bill(write_bill(tmp_path / "cur", {MONTH: lines}), tmp_path / "store")
    app = open_page("coverage", bill=small, month=MONTH, to="principal", reason="before-callers")
    rows = {row["title"]: row for row in table(app, REASONS)}
    assert rows["Usage without a caller"]["since"] == "October 2026 or earlier"
    assert app.metric[0].value == "0.0 %"
    assert 'for = ["principal"]' in app.code[0].value
