"""What moves between units: nothing is made or lost, and it goes where the contract says."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from chargeback.dimensions import UNALLOCATED
from chargeback.errors import UsageProblem
from chargeback.money import exact_sum
from chargeback.reports.answers import Answers
from chargeback.settings import Settings, load_settings
from chargeback.statement.allocation import SHARED, allocate, distribute
from chargeback.statement.allocation_settings import FOLLOWING, AllocationSettings
from chargeback.statement.build import MONEY, Statement, build_statement
from chargeback.workspace import Workspace
from tests.bills import MONTH, OTHER_PAYER, PAYER, exported, line, whole, write_bill

TODAY = date(2026, 12, 1)
CENT = Decimal("0.01")
TWELVE = Decimal("1E-12")
GATEWAY = "arn:aws:sts::111122223333:assumed-role/llm-gateway/i-1"
GATEWAY_ROLE = "arn:aws:iam::111122223333:role/llm-gateway"
COLUMN_OF = {
    "usage": "usage_cost",
    "discount": "discount_amount",
    "credit": "credit_amount",
    "refund": "refund_amount",
    "tax": "tax_amount",
    "other": "other_amount",
}


def rules(*given_rules: dict[str, Any], **ways: str) -> AllocationSettings:
    return AllocationSettings.model_validate({**ways, "rules": list(given_rules)})


# Any rows and rules.

UNITS = ["acme", "globex", "ops", UNALLOCATED]
AMOUNTS = st.decimals(-1000, 100_000, places=12) | st.just(Decimal(0))
ROWS = st.fixed_dictionaries(
    {
        "currency": st.sampled_from(["USD", "EUR"]),
        "unit": st.sampled_from(UNITS),
        "charge_category": st.sampled_from(["usage", "usage", "usage", *FOLLOWING]),
        "payer_account_id": st.sampled_from([PAYER, OTHER_PAYER]),
        "legal_entity": st.sampled_from(["AWS", "Anthropic"]),
        "product_code": st.sampled_from(["AmazonBedrock", "1a2b3c"]),
        "usage_account_id": st.sampled_from(["111122223333", "444455556666"]),
        "usage_type": st.sampled_from(["input", "output"]),
        "region": st.just("us-east-1"),
        "iam_principal": st.sampled_from(["", GATEWAY, "arn:aws:iam::111122223333:user/a"]),
        "line_item_type": st.just("Usage"),
        "model": st.sampled_from(["Nova", "Claude"]),
        "team": st.sampled_from(["search", UNALLOCATED]),
        "tenant": st.just(UNALLOCATED),
        "project": st.just(UNALLOCATED),
        "cost_center": st.just(UNALLOCATED),
        "unblended_cost": AMOUNTS,
        "cost": AMOUNTS,
        "tokens": st.decimals(0, 10**9, places=0),
    }
)
TAKES = st.fixed_dictionaries(
    {"unit": st.sampled_from([UNALLOCATED, "ops", "*"])},
    optional={
        "principal": st.sampled_from(["*:role/llm-gateway", GATEWAY, "*"]),
        "team": st.sampled_from(["search", "s*"]),
        "model": st.just("Nova"),
        "product": st.just("none"),
    },
)
RULES = st.builds(
    lambda number, take, how: {"id": f"rule {number}", "for": ["tenant"], "take": take, **how},
    st.integers(0, 10**6),
    TAKES,
    st.sampled_from(
        [
            {"by": "even"},
            {"by": "direct cost"},
            {"by": "tokens"},
            {"by": "even", "to": ["newcomer", "acme"]},
            {"by": "direct cost", "to": ["newcomer", "globex"]},
            {"by": "fixed", "shares": {"acme": 60, "newcomer": "0.7"}},
        ]
    ),
)
A_LINE = (
    st.sampled_from(["acme", "globex", ""]),
    st.sampled_from(["Usage", "Usage", "Tax", "EdpDiscount", "Credit", "Refund", "Fee"]),
    st.decimals(-50, 500, places=10),
)
"""Whose it is, its type, what it costs."""
SETTINGS = st.builds(
    lambda ways, found: rules(*found, **ways),
    st.fixed_dictionaries({name: st.sampled_from(["none", "usage"]) for name in FOLLOWING}),
    st.lists(RULES, max_size=4, unique_by=lambda rule: rule["id"]),
)


@given(st.lists(ROWS, max_size=12), SETTINGS)
def test_what_leaves_arrives(rows: list[dict[str, Any]], asked: AllocationSettings) -> None:
    found = allocate(rows, asked, "tenant", MONTH)
    totals: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for (currency, _), columns in found.changes().items():
        for column, amount in columns.items():
            totals[currency, column].append(amount)
    assert all(exact_sum(amounts) == 0 for amounts in totals.values())
    assert found == allocate(rows, asked, "tenant", MONTH)


@given(st.lists(ROWS, max_size=12), SETTINGS)
def test_a_pool_is_what_was_there_and_is_given_once(
    rows: list[dict[str, Any]], asked: AllocationSettings
) -> None:
    found = allocate(rows, asked, "tenant", MONTH)
    pools: dict[tuple[object, ...], Decimal] = {}
    start = 0
    given_away: dict[tuple[object, ...], Decimal] = defaultdict(Decimal)
    for number, move in enumerate(found.moves):
        first = number == 0 or key(found.moves[number - 1]) != key(move)
        start = number if first else start
        pools[start, key(move)] = move.pool
        given_away[start, key(move)] += move.amount
        assert move.weight > 0
        assert 0 < move.share <= 1 or abs(move.share) <= TWELVE
        assert abs(move.amount - move.pool * move.share) < Decimal("1E-6")
        assert move.amount == move.amount.quantize(TWELVE)
    for at, amount in given_away.items():
        # Pools that are alike stand one after the other: what they give is a whole number of them.
        assert amount == pools[at] or amount % pools[at] == 0
    followed = exact_sum(m.amount for m in found.moves if m.column != SHARED)
    could = exact_sum(row["cost"] for row in rows if row["charge_category"] in asked.following)
    stays = exact_sum(
        row["cost"]
        for row in rows
        if row["charge_category"] in asked.following and not can_follow(row, rows)
    )
    assert followed == could - stays


def key(move: Any) -> tuple[object, ...]:  # noqa: ANN401  (a Move)
    return (move.rule_id, move.column, move.from_unit, move.currency, move.pool)


def can_follow(row: dict[str, Any], rows: list[dict[str, Any]]) -> bool:
    """Whether any unit has usage above zero of the payer, currency and product."""
    alike = ("payer_account_id", "currency", "product_code")
    narrower = (
        ("legal_entity", "usage_account_id", "usage_type", "region"),
        ("legal_entity", "usage_account_id"),
        ("legal_entity",),
        (),
    )
    for more in narrower:
        usage: dict[str, Decimal] = defaultdict(Decimal)
        for each in rows:
            if each["charge_category"] == "usage" and all(
                each[name] == row[name] for name in (*alike, *more)
            ):
                usage[each["unit"]] += each["unblended_cost"]
        if any(amount > 0 for amount in usage.values()):
            return True
    return False


@given(
    st.decimals(-(10**20), 10**20, places=12),
    st.dictionaries(
        st.text(min_size=1, max_size=4), st.decimals("0.000000000001", 10**9, places=12), min_size=1
    ),
)
def test_shares_of_any_pool_add_up_to_it(pool: Decimal, weights: dict[str, Decimal]) -> None:
    found = distribute(pool, weights)
    assert [unit for unit, _, _ in found] == sorted(weights)
    assert exact_sum(amount for _, _, amount in found) == pool
    whole_weight = exact_sum(weights.values())
    for unit, _, amount in found:
        exact = pool * weights[unit] / whole_weight
        assert abs(amount - exact) <= TWELVE * (len(weights) + 1) + abs(exact) * Decimal("1E-25")


# Bills.


def answers_on(folder: Path, *lines: dict[str, Any]) -> Answers:
    workspace = Workspace(
        Settings(cur=write_bill(folder / "cur", {MONTH: lines}), store=folder / "store")
    )
    workspace.refresh()
    return workspace.answers()


def charged(
    answers: Answers, asked: AllocationSettings, by: str = "tenant", currency: str = "USD"
) -> dict[str, dict[str, Decimal]]:
    """The cells of a statement that are not zero, by unit; it is seen to tie."""
    statement = build_statement(answers, whole(MONTH), by, TODAY, asked)
    assert_ties(statement)
    return {
        each.bill_to: {
            name: amount for name, amount in zip(MONEY, each.amounts, strict=True) if amount
        }
        for each in statement.charges
        if each.currency == currency
    }


def assert_ties(statement: Statement) -> None:
    for currency, bill in statement.bill.items():
        assert statement.difference(currency) == 0
        mine = [each for each in statement.charges if each.currency == currency]
        assert sum(each.total for each in mine) == bill.quantize(CENT, ROUND_HALF_UP)
        shared = MONEY.index(SHARED)
        assert abs(exact_sum(each.amounts[shared] for each in mine)) <= CENT
        assert mine[-1].bill_to == UNALLOCATED


def cents(**columns: str) -> dict[str, Decimal]:
    return {name: Decimal(amount) for name, amount in columns.items()}


def test_nothing_set_moves_nothing(tmp_path: Path) -> None:
    answers = answers_on(tmp_path, line("10.00", tenant="acme"), line("2.00", "Tax"))
    assert charged(answers, AllocationSettings()) == {
        "acme": cents(usage_cost="10.00"),
        UNALLOCATED: cents(tax_amount="2.00"),
    }


def test_tax_goes_with_the_narrowest_usage_that_there_is(tmp_path: Path) -> None:
    output = {"line_item_usage_type": "USE1-NovaPro-output-tokens"}
    answers = answers_on(
        tmp_path,
        line("30.00", tenant="acme"),
        line("10.00", tenant="globex"),
        line("60.00", tenant="globex", **output),
        line("100.00"),  # of nobody, on the same usage type: it bears its part
        line("14.00", "Tax"),  # of the first usage type: 30, 10 and 100
        line("6.00", "Tax", **output),  # only globex
        line("2.00", "Tax", line_item_usage_type="USE1-Other"),  # by account: 30, 70, 100
        line("4.00", "Tax", account="999988887777", line_item_usage_type="USE1-Other"),
        line("8.00", "Tax", line_item_legal_entity="Somebody", account="999988887777"),
        line("1.00", "Tax", payer=OTHER_PAYER),  # nobody's usage: it stays
    )
    wide = (Decimal(2) + 4 + 8) / 200
    assert charged(answers, rules(tax="usage")) == {
        "acme": cents(usage_cost="30.00", tax_amount=str((3 + 30 * wide).quantize(CENT))),
        "globex": cents(usage_cost="70.00", tax_amount=str((1 + 6 + 70 * wide).quantize(CENT))),
        UNALLOCATED: cents(
            usage_cost="100.00", tax_amount=str((10 + 100 * wide + 1).quantize(CENT))
        ),
    }


def test_usage_below_zero_weighs_nothing(tmp_path: Path) -> None:
    answers = answers_on(
        tmp_path,
        line("10.00", tenant="acme"),
        line("-5.00", tenant="globex"),
        line("-3.00", "EdpDiscount"),
    )
    found = charged(answers, rules(discount="usage"))
    assert found["acme"] == cents(usage_cost="10.00", discount_amount="-3.00")
    assert found["globex"] == cents(usage_cost="-5.00")


GATEWAY_RULE = {
    "id": "gateway",
    "name": "Untagged gateway traffic",
    "for": ["tenant"],
    "take": {"principal": "arn:aws:iam::*:role/llm-gateway"},
    "by": "direct cost",
    "to": ["acme", "globex"],
}


def shop(folder: Path) -> Answers:
    return answers_on(
        folder,
        line("30.00", tenant="acme", team="a", line_item_usage_amount=1.0),
        line("10.00", tenant="globex", team="b", line_item_usage_amount=3.0),
        line("8.00", principal=GATEWAY),
        line("5.00", team="platform"),
        line("4.80", "Tax"),
        line("9.00", tenant="acme", currency="EUR"),
        line("3.00", principal=GATEWAY, currency="EUR"),
    )


def test_a_gateways_traffic_goes_to_its_tenants(tmp_path: Path) -> None:
    answers = shop(tmp_path)
    assert charged(answers, rules(GATEWAY_RULE)) == {
        "acme": cents(usage_cost="30.00", shared_cost="6.00"),
        "globex": cents(usage_cost="10.00", shared_cost="2.00"),
        UNALLOCATED: cents(usage_cost="13.00", tax_amount="4.80", shared_cost="-8.00"),
    }
    # Each currency by its own weights: globex has none in euros.
    euros = charged(answers, rules(GATEWAY_RULE), currency="EUR")
    assert euros == {
        "acme": cents(usage_cost="9.00", shared_cost="3.00"),
        UNALLOCATED: cents(usage_cost="3.00", shared_cost="-3.00"),
    }


@pytest.mark.parametrize(
    ("how", "acme", "globex"),
    [
        ({"by": "even"}, "4.00", "4.00"),
        ({"by": "direct cost"}, "6.00", "2.00"),
        ({"by": "tokens"}, "2.00", "6.00"),
        ({"by": "fixed", "shares": {"acme": 1, "globex": 4}}, "1.60", "6.40"),
        ({"by": "even", "to": ["globex"]}, None, "8.00"),
    ],
)
def test_each_way_of_sharing(
    how: dict[str, Any], acme: str | None, globex: str, tmp_path: Path
) -> None:
    rule = {"id": "r", "for": ["tenant"], "take": {"principal": GATEWAY_ROLE}, **how}
    found = charged(shop(tmp_path), rules(rule))
    assert found["acme"].get(SHARED) == (acme and Decimal(acme))
    assert found["globex"].get(SHARED) == Decimal(globex)


def test_a_receiver_without_lines_still_receives(tmp_path: Path) -> None:
    rule = {**GATEWAY_RULE, "by": "fixed", "to": [], "shares": {"newcomer": 1}}
    found = charged(shop(tmp_path), rules(rule))
    assert found["newcomer"] == cents(shared_cost="8.00")


def test_what_a_rule_took_no_later_one_takes_and_what_is_received_is_kept(tmp_path: Path) -> None:
    everything = {"id": "rest", "for": ["tenant"], "by": "even", "to": ["globex"]}
    from_acme = {"id": "acme", "for": ["tenant"], "take": {"unit": "acme"}, "by": "even"}
    found = charged(shop(tmp_path), rules(GATEWAY_RULE, everything, from_acme))
    assert found[UNALLOCATED] == cents(usage_cost="13.00", tax_amount="4.80", shared_cost="-17.80")
    # acme gives its own 30.00 and keeps the 6.00 of the gateway.
    assert found["acme"] == cents(usage_cost="30.00", shared_cost="-24.00")
    assert found["globex"][SHARED] == Decimal("2.00") + Decimal("9.80") + Decimal("30.00")


def test_tax_that_followed_has_no_principal_but_is_tax(tmp_path: Path) -> None:
    answers = shop(tmp_path)
    by_principal = charged(answers, rules(GATEWAY_RULE, tax="usage"))
    assert by_principal[UNALLOCATED][SHARED] == Decimal("-8.00")
    tax = {"id": "t", "for": ["tenant"], "take": {"line_type": "Tax"}, "by": "even", "to": ["acme"]}
    found = charged(answers, rules(tax, tax="usage"))
    came = (Decimal("4.80") * 13 / 53).quantize(CENT)
    assert found[UNALLOCATED] == cents(
        usage_cost="13.00", tax_amount=str(came), shared_cost=str(-came)
    )


def test_a_rule_that_takes_nothing_is_said(tmp_path: Path) -> None:
    answers = shop(tmp_path)
    useless: list[dict[str, Any]] = [
        {"id": "none such", "take": {"model": "none"}, "by": "even"},
        {**GATEWAY_RULE, "id": "nobody", "to": ["stranger"]},
        {"id": "over", "by": "even", "until": "2026-10"},
    ]
    statement = build_statement(answers, whole(MONTH), "tenant", TODAY, rules(*useless))
    assert [each.about["rule"] for each in statement.without_effect] == [
        "none such",
        "Untagged gateway traffic",
    ]
    assert statement.allocation.moves == ()


@settings(max_examples=20)
@given(
    st.lists(
        st.tuples(
            *A_LINE,
        ),
        min_size=1,
        max_size=8,
    ),
    SETTINGS,
    st.sampled_from(["tenant", "principal", "account", "model"]),
)
def test_any_statement_ties(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[tuple[str, str, Decimal]],
    asked: AllocationSettings,
    by: str,
) -> None:
    bill = [
        line(cost, type_, **({"tenant": tenant} if tenant else {})) for tenant, type_, cost in lines
    ]
    answers = answers_on(tmp_path_factory.mktemp("any"), *bill)
    assert_ties(build_statement(answers, whole(MONTH), by, TODAY, asked))


# Files.


def test_the_moves_are_a_file_of_the_set(tmp_path: Path) -> None:
    answers, out = shop(tmp_path), tmp_path / "out"
    asked = rules({**GATEWAY_RULE, "name": "=cmd()"}, tax="usage")
    files = exported(answers, whole(MONTH), "tenant", TODAY, out, allocation=asked)
    assert files.allocation is not None
    rows = list(csv.DictReader(files.allocation.read_text("utf-8-sig").splitlines()))
    assert {row["rule_id"] for row in rows} == {"gateway", "tax"}
    assert {row["rule_name"] for row in rows} == {"'=cmd()", "Tax follows usage"}
    to_acme = [
        r for r in rows if (r["rule_id"], r["to_unit"], r["currency"]) == ("gateway", "acme", "USD")
    ]
    assert [(Decimal(r["pool"]), Decimal(r["amount"])) for r in to_acme] == [
        (Decimal(8), Decimal(6))
    ]
    manifest = json.loads(files.manifest.read_text("utf-8"))
    named = {file["name"]: file["sha256"] for file in manifest["files"]}
    assert named[files.allocation.name] == sha256(files.allocation.read_bytes()).hexdigest()
    assert manifest["allocation"]["tax"] == "usage"
    assert manifest["allocation"]["rules"][0]["id"] == "gateway"
    before = {file.name: file.read_bytes() for file in files.all}
    again = exported(answers, whole(MONTH), "tenant", TODAY, out, allocation=asked)
    assert {file.name: file.read_bytes() for file in again.all} == before
    plain = exported(answers, whole(MONTH), "tenant", TODAY, out)
    assert plain.allocation is None
    assert not files.allocation.exists()
    fingerprint = json.loads(plain.manifest.read_text("utf-8"))["rules_fingerprint"]
    assert fingerprint != manifest["rules_fingerprint"]


# Settings.


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"to": ["acme"]}, "name it alone"),
        ({"to": ["acme"], "for": ["tenant", "team"]}, "name it alone"),
        ({"by": "fixed", "for": ["tenant"], "shares": {"acme": 0}}, "greater than 0"),
        ({"by": "fixed", "for": ["tenant"]}, "which needs it"),
        ({"for": ["tenant"], "shares": {"acme": 1}}, "belongs to"),
        ({"by": "whim"}, "even"),
        ({"for": ["galaxy"]}, "galaxy"),
        ({"take": {"colour": "red"}}, "colour"),
        ({"id": "tax"}, "choose another"),
        ({"to": ["(unallocated)"], "for": ["tenant"]}, "nobody"),
        ({"from": "2026-5"}, "written 2026-10"),
        ({"from": "2026-05", "until": "2026-05"}, "after"),
        ({"whose": "mine"}, "whose"),
    ],
)
def test_a_rule_that_says_something_else_is_refused(rule: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        rules({"id": "r", "by": "even", **rule})
    assert said in str(refused.value)


def test_equal_ids_may_follow_each_other_but_not_overlap() -> None:
    early, late = {"id": "r", "by": "even", "until": "2026-06"}, {"id": "r", "by": "tokens"}
    assert (
        rules(early, {**late, "from": "2026-06"}).rules_for("tenant", "2026-06")[0].by == "tokens"
    )
    with pytest.raises(ValidationError, match="hold in one period"):
        rules(early, {**late, "from": "2026-05"})


def test_the_section_is_read_from_the_file_and_its_faults_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "chargeback.toml"
    file.write_text(
        '[allocation]\ntax = "usage"\n[[allocation.rules]]\nid = "g"\nfor = ["tenant"]\n'
        'by = "fixed"\nshares = { acme = 60, globex = 40.5 }\nfrom = "2026-04"\n'
    )
    (rule,) = load_settings().allocation.rules
    assert rule.shares == {"acme": Decimal(60), "globex": Decimal("40.5")}
    file.write_text('[allocation]\ntax = "some"\n[[allocation.rules]]\nid = "g"\nby = "luck"\n')
    with pytest.raises(UsageProblem) as refused:
        load_settings()
    assert "line 2, allocation.tax" in refused.value.what
    assert "allocation.rules, entry 1, by:" in refused.value.what
    file.write_text('[[allocation.rules]]\nid = "g"\nby = "even"\ntake = { colour = "red" }\n')
    with pytest.raises(UsageProblem) as refused:
        load_settings()
    assert "entry 1, take.colour: there is no such setting; allowed are unit," in refused.value.what
