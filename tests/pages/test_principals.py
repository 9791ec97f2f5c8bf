"""The list of principals, narrowed to one kind of them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from chargeback.store.settings import FEWEST
from tests.bills import line, write_bill
from tests.pages.conftest import Bill, OpenPage, table

MONTH = "2026-10"
PRINCIPALS = "Principals by spend"
GATEWAY = "line_item_iam_principal LIKE '%:assumed-role/llm-gateway/%'"
ROLE_OF_FOLDED = "arn:aws:iam::111122223333:role/gw"
OF_KIND = {
    "people": "(line_item_iam_principal LIKE '%/AWSReservedSSO_%' OR line_item_iam_principal LIKE "
    "'%:federated-user/_%' OR line_item_iam_principal LIKE '%:root' OR (line_item_iam_principal "
    "LIKE '%:user/%' AND line_item_iam_principal NOT LIKE '%BedrockAPIKey-%'))",
    "applications": "(line_item_iam_principal LIKE '%:assumed-role/%' OR line_item_iam_principal "
    "LIKE '%:role/%') AND line_item_iam_principal NOT LIKE '%/AWSReservedSSO_%' "
    f"AND NOT {GATEWAY}",
    "api-keys": "line_item_iam_principal LIKE '%BedrockAPIKey-%'",
    "gateways": GATEWAY,
}
"""Conditions over the export."""


@pytest.mark.parametrize("kind", OF_KIND)
def test_a_kind_is_what_the_arn_says(open_page: OpenPage, bill: Bill, kind: str) -> None:
    rows = table(open_page("principals", month=MONTH, kind=kind), PRINCIPALS)
    assert sum(row["cost"] for row in rows) == pytest.approx(
        bill.total(MONTH, OF_KIND[kind]), abs=Decimal("0.001")
    )


def test_a_choice_is_written_into_the_address(open_page: OpenPage) -> None:
    app = open_page("principals", month=MONTH)
    everything = len(table(app, PRINCIPALS))
    app.segmented_control("kind").set_value("api-keys").run()
    assert app.query_params["kind"] == "api-keys"
    assert [row["name"] for row in table(app, PRINCIPALS)] == [
        "BedrockAPIKey-234s",
        "BedrockAPIKey-k91x",
    ]
    assert everything > 2


def test_the_way_back_up_keeps_the_kind(open_page: OpenPage) -> None:
    role = "principal:arn:aws:iam::111122223333:role/llm-gateway"
    app = open_page("principals", month=MONTH, kind="gateways", at=role)
    (crumb, *_) = (link for link in app.main.get("page_link") if link.proto.label == "Principals")
    assert "kind=gateways" in crumb.proto.query_string


def test_an_unknown_kind_is_said(open_page: OpenPage) -> None:
    app = open_page("principals", month=MONTH, kind="robots")
    assert ["robots" in warning.value for warning in app.warning] == [True]


@pytest.mark.parametrize(
    ("page", "what", "tag"),
    [
        ("projects", "Projects by spend", "iamPrincipal/project"),
        ("cost_centers", "Cost centers by spend", "iamPrincipal/cost-center"),
    ],
)
def test_projects_and_cost_centers_cost_what_lines_with_their_tag_cost(
    open_page: OpenPage, bill: Bill, page: str, what: str, tag: str
) -> None:
    rows = table(open_page(page, month=MONTH), what)
    units = [row for row in rows if row["name"] != "(unallocated)"]
    assert len(units) > 3
    for row in units:
        of_tag = bill.ask(
            "SELECT SUM(cost) FROM bedrock WHERE billing_period = ? AND tags[?] = ?",
            MONTH,
            tag,
            row["name"],
        )
        assert row["cost"] == pytest.approx(of_tag[0][0], abs=Decimal("0.001"))


def test_a_filter_by_cost_center_narrows_every_page(open_page: OpenPage, bill: Bill) -> None:
    app = open_page("tenants", month=MONTH, cost_center="CC-2010")
    where = "tags['iamPrincipal/cost-center'] = 'CC-2010'"
    rows = table(app, "Tenants by spend")
    assert sum(row["cost"] for row in rows) == pytest.approx(
        bill.total(MONTH, where), abs=Decimal("0.001")
    )
    assert "**Only cost center CC-2010**" in [caption.value for caption in app.caption]


# Sessions that are kept as one.


@pytest.fixture
def folded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bill:
    """A role of whose sessions eight are alike, and one is told by a tag of its own."""
    role = "arn:aws:sts::111122223333:assumed-role/gw"
    calls = [line("1.25", principal=f"{role}/call-{number}", team="search") for number in range(8)]
    named = line("5", principal=f"{role}/ann", team="ads")
    monkeypatch.setenv("CHARGEBACK_STORE__FOLD_SESSIONS_ABOVE", str(FEWEST))
    return Bill(write_bill(tmp_path / "cur", {MONTH: [*calls, named]}), tmp_path / "store")


def test_sessions_that_are_kept_as_one_have_a_row_and_a_name(
    open_page: OpenPage, folded: Bill
) -> None:
    app = open_page("principals", bill=folded, month=MONTH, at=f"principal:{ROLE_OF_FOLDED}")
    rows = table(app, "Callers by spend")
    assert [(row["name"], row["cost"]) for row in rows] == [
        ("other sessions", Decimal("10.00")),
        ("ann", Decimal("5.00")),
    ]
    said = " ".join(element.value for element in (*app.info, *app.markdown, *app.caption))
    assert "8 sessions of 1 role, 8 CUR lines, 10.00 USD, are kept as one" in said


def test_their_lines_are_those_of_each(open_page: OpenPage, folded: Bill) -> None:
    at = [
        f"principal:{ROLE_OF_FOLDED}",
        "iam_principal:arn:aws:sts::111122223333:assumed-role/gw/*",
    ]
    app = open_page("principals", bill=folded, month=MONTH, at=at, by="lines")
    lines = table(app, "CUR lines, newest first")
    assert sorted(row["iam_principal"].rpartition("/")[2] for row in lines) == [
        f"call-{number}" for number in range(8)
    ]
    assert any("this level's cost, to the last digit" in said.value for said in app.caption)
    assert "**other sessions**" in [said.value for said in app.markdown]
