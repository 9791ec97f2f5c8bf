"""Sessions of a role that are kept as one: nothing else changes, and nothing is hidden."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from chargeback.access.change import Actor, machine_user
from chargeback.access.rows import EVERYTHING
from chargeback.attribution.rules import AttributionRules
from chargeback.reports.callers import gateways
from chargeback.reports.cur_lines import cur_lines
from chargeback.reports.frames import total
from chargeback.reports.period_status import notices_of, ties
from chargeback.reports.ranking import rank
from chargeback.reports.view import View
from chargeback.settings import Settings
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.store.settings import FEWEST, StoreSettings
from chargeback.workspace import Workspace
from tests.bills import MONTH, Line, exported, line, whole, write_bill

TODAY = date(2026, 11, 23)
ROLE = "arn:aws:sts::111122223333:assumed-role/"
FOLDED = f"{ROLE}gw/*"
OF_THE_ROLE = "arn:aws:iam::111122223333:role/gw"
BESIDE_SESSIONS = {"iam_principal", "session_name"}
"""Columns of the detail that tell sessions apart."""
AMOUNTS = {"usage_amount", "tokens", "unblended_cost", "net_unblended_cost", "billed_cost"}


def workspace(
    folder: Path,
    above: int | None,
    store: str = "store",
    **settings: Any,  # noqa: ANN401
) -> Workspace:
    kept = StoreSettings(location=folder / store, fold_sessions_above=above)
    given = {"cur": folder / "cur", "ledger": folder / "ledger", "store": kept}
    return Workspace(Settings(**{**given, **settings}))


def principals(made: Workspace) -> set[str]:
    """The ARNs in the facts of the month."""
    (period,) = made.store.periods(made.source.source_id)
    return set(parquet.read_table(period.spend)["iam_principal"].to_pylist())


def codes(made: Workspace) -> list[str]:
    return [each.code for each in notices_of(made.answers(), MONTH)]


# Whatever the bill and the rules.


@dataclass(frozen=True)
class Rules:
    """Rules of every kind that can tell a session from its role, and some that can't."""

    owners: tuple[str, ...]
    pattern: str
    takes: str

    def written(self, folder: Path) -> dict[str, Any]:
        rows = "".join(f"{arn},owned-{number}\n" for number, arn in enumerate(self.owners))
        (folder / "owners.csv").write_text(f"iam_principal,team\n{rows}", "utf-8")
        pattern = [{"pattern": self.pattern, "on": "session"}] if self.pattern else []
        rule = {
            "id": "rule",
            "for": ["tenant"],
            "take": {"principal": self.takes},
            "by": "even",
            "to": ["acme", "globex"],
        }
        return {
            "attribution": AttributionRules(
                tenant=["iamPrincipal/tenant", *pattern],
                team=["iamPrincipal/team", {"owners": folder / "owners.csv"}],
            ),
            "allocation": AllocationSettings.model_validate(
                {"tax": "usage", "rules": [rule] if self.takes else []}
            ),
        }

    def say_of(self, arn: str) -> tuple[object, ...]:
        """All that they say of a session's name, without the program's own code."""
        found = re.search(self.pattern, arn.rpartition("/")[2]) if self.pattern else None
        named = [fnmatchcase(arn, row) or row == role_of(arn) for row in (*self.owners, self.takes)]
        return (found and found["value"], *named)


def role_of(arn: str) -> str:
    return f"arn:aws:iam::111122223333:role/{arn.split('/')[1]}"


def a_bill(any_: Random) -> list[Line]:
    """Lines of two roles' sessions: of some many are alike, of some a tag or their name tells."""
    names = [
        *(f"call-{number:02}" for number in range(16)),
        *(f"tenant-{number}" for number in range(8)),
        *(f"botocore-session-170000000{number}" for number in range(9)),
        *(f"i-0123456789abcdef{number}" for number in range(7)),
    ]
    tags = [{}, {}, {"tenant": "acme"}, {"tenant": "globex", "team": "search"}]

    def cost() -> Decimal:
        return Decimal(any_.randint(-(10**12), 9 * 10**12)).scaleb(-12)

    return [
        line(
            cost(),
            any_.choice(["Usage", "Usage", "Tax", "Credit", "EdpDiscount"]),
            principal=f"{ROLE}{any_.choice(['gw', 'gw', 'job'])}/{any_.choice(names)}",
            day=any_.randint(1, 3),
            net=any_.choice([None, cost()]),
            line_item_usage_type=f"USE1-NovaPro-{any_.choice(['input', 'output'])}-tokens",
            **any_.choice(tags[: any_.randint(1, 4)]),
        )
        for _ in range(any_.randint(40, 200))
    ]


RULES = st.builds(
    Rules,
    st.lists(
        st.sampled_from(
            [
                f"{ROLE}gw/call-03",
                f"{ROLE}gw/call-1*",
                f"{ROLE}*/*-7",
                "arn:aws:iam::111122223333:role/gw",
                f"{ROLE}job/*",
            ]
        ),
        unique=True,
        max_size=3,
    ).map(tuple),
    st.sampled_from(["", "^tenant-(?P<value>.+)$", "(?P<value>[12])$"]),
    st.sampled_from(["", "", "*/call-*5", "arn:aws:iam::*:role/job"]),
)


def expected(lines: Sequence[Line], rules: Rules, above: int) -> dict[str, str]:
    """Under which ARN each session is kept: told from the rules alone, line by line."""
    tags: dict[str, set[str]] = defaultdict(set)
    for each in lines:
        tags[each["line_item_iam_principal"]].add(json.dumps(each["tags"]))
    folded: dict[str, str] = {}
    for arn in tags:
        role, _, name = arn.rpartition("/")
        if name.startswith("i-"):
            continue
        kept_as = f"{role}/sdk-*" if name.startswith("botocore") else f"{role}/*"
        # No session is called so: what is said of it is said of all.
        if rules.say_of(arn) == rules.say_of(f"{role}/\N{SNOWMAN}"):
            folded[arn] = kept_as
    alike: dict[tuple[str, str], set[str]] = defaultdict(set)
    for arn, kept_as in folded.items():
        for tag in tags[arn]:
            alike[kept_as, tag].add(arn)
    return {
        arn: kept_as
        if (kept_as := folded.get(arn, ""))
        and all(len(alike[kept_as, tag]) > above for tag in tags[arn])
        else arn
        for arn in tags
    }


def beside_sessions(detail: Path) -> dict[Any, Any]:
    """The detail's amounts by all that is no session; what has no net cost stays apart."""
    found: dict[Any, Any] = defaultdict(lambda: defaultdict(Decimal))
    for cells in csv.DictReader(detail.read_text("utf-8-sig").splitlines()):
        beside = tuple(v for k, v in cells.items() if k not in BESIDE_SESSIONS | AMOUNTS)
        key = (*beside, cells["net_unblended_cost"] == "")
        for name in AMOUNTS:
            found[key][name] += Decimal(cells[name] or 0)
    return {key: dict(amounts) for key, amounts in found.items()}


@settings(max_examples=5, phases=[Phase.generate])
@given(st.randoms(use_true_random=False).map(a_bill), RULES)
def test_all_but_sessions_is_the_same_to_the_last_digit(lines: list[Line], rules: Rules) -> None:
    with TemporaryDirectory() as place:
        folder = Path(place)
        write_bill(folder / "cur", {MONTH: lines})
        given_ = rules.written(folder)
        as_billed = workspace(folder, None, "as-billed", **given_)
        folded = workspace(folder, FEWEST, "folded", **given_)
        for each in (as_billed, folded):
            each.refresh()
            assert ties(each.answers(), View(MONTH, "USD", EVERYTHING))
        kept = expected(lines, rules, FEWEST)
        assert principals(as_billed) == set(kept)
        assert principals(folded) == set(kept.values())
        allocation: AllocationSettings = given_["allocation"]
        details = []
        for by in ("team", "account", "tenant"):
            files = [
                exported(each.answers(), whole(MONTH), by, TODAY, folder / name, allocation)
                for each, name in ((as_billed, "a"), (folded, "b"))
            ]
            assert files[0].statement.read_bytes() == files[1].statement.read_bytes()
            details = [beside_sessions(each.detail) for each in files]
        assert details[0] == details[1]
        manifests = [each.answers().manifest(MONTH) for each in (as_billed, folded)]
        assert manifests[0].totals == manifests[1].totals
        assert manifests[0].lines_read == manifests[1].lines_read == len(lines)
        assert manifests[0].folded is None
        assert_counted(folded, lines, kept)


def assert_counted(folded: Workspace, lines: Sequence[Line], kept: Mapping[str, str]) -> None:
    """What the manifest says of sessions that are kept as one is what the lines say."""
    manifest = folded.answers().manifest(MONTH)
    gone = {arn for arn, kept_as in kept.items() if arn != kept_as}
    assert manifest.folded
    assert set(manifest.folded.principals) == {kept[arn] for arn in gone}
    assert len(manifest.folded.totals) == bool(gone)
    for said in manifest.folded.totals:
        theirs = [each for each in lines if each["line_item_iam_principal"] in gone]
        assert said.sessions == len(gone)
        assert said.roles == len({arn.split("/")[1] for arn in gone})
        assert said.lines == len(theirs)
        costs = (each["line_item_unblended_cost"] for each in theirs)
        assert said.unblended_total == sum(map(as_billed_, costs))
        assert said.rows_after <= said.rows_before <= said.lines
    assert ("sessions-folded" in codes(folded)) == bool(gone)


def as_billed_(cost: Decimal) -> Decimal:
    """As AWS writes it: a double's shortest decimal."""
    return Decimal(repr(float(cost)))


# One bill in many ways.

CALLS = [f"{ROLE}gw/call-{number:02}" for number in range(12)]
NAMED = f"{ROLE}gw/ann"
BY_SDK = [f"{ROLE}batch/botocore-session-17000000{number:02}" for number in range(8)]
OTHERS = [
    f"{ROLE}AWSReservedSSO_Dev_0123456789abcdef/{number}@example.com" for number in range(8)
] + [f"{ROLE}web/i-0123456789abcde{number:02}" for number in range(8)]
LINES = [
    *(line("1.25", principal=arn, day=day, tenant="acme") for arn in CALLS for day in (1, 2)),
    line("40", principal=NAMED, tenant="ann"),
    *(line("0.5", principal=arn, team="data") for arn in BY_SDK),
    *(line("0.25", principal=arn) for arn in OTHERS),
]


@pytest.fixture(scope="module")
def read_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bill, and a store of it that folds. Copy it to change it."""
    folder = tmp_path_factory.mktemp("folded")
    write_bill(folder / "cur", {MONTH: LINES})
    workspace(folder, FEWEST).refresh()
    return folder


@pytest.fixture
def folder(read_once: Path, tmp_path: Path) -> Path:
    """A copy of the store, over the same bill."""
    shutil.copytree(read_once / "store", tmp_path / "store", symlinks=True)
    (tmp_path / "cur").symlink_to(read_once / "cur")
    return tmp_path


def made(folder: Path, above: int | None = FEWEST, **settings: Any) -> Workspace:  # noqa: ANN401
    """Over the shared bill, whatever folder the store lies in."""
    return workspace(folder, above, cur=(folder / "cur").resolve(), **settings)


def owned(folder: Path, *arns: str) -> dict[str, Any]:
    rows = "".join(f"{arn},owned\n" for arn in arns)
    (folder / "owners.csv").write_text(f"iam_principal,cost_center\n{rows}", "utf-8")
    return {"attribution": AttributionRules(cost_center=[{"owners": folder / "owners.csv"}])}


def taking(principal: str) -> dict[str, Any]:
    rule = {"id": "r", "take": {"principal": principal}, "by": "direct cost"}
    return {"allocation": AllocationSettings.model_validate({"rules": [rule]})}


def test_who_a_name_or_a_tag_tells_stays(read_once: Path) -> None:
    assert principals(made(read_once)) == {FOLDED, f"{ROLE}batch/sdk-*", NAMED, *OTHERS}


def test_what_is_kept_as_one_is_counted_and_said(read_once: Path) -> None:
    answers = made(read_once).answers()
    folded = answers.manifest(MONTH).folded
    assert folded
    assert [each.model_dump() for each in folded.totals] == [
        {
            "currency": "USD",
            "roles": 2,
            "sessions": 20,
            "lines": 32,
            "rows_before": 32,
            "rows_after": 3,
            "unblended_total": Decimal(34),
            "net_total": Decimal(34),
        }
    ]
    (said,) = [each for each in notices_of(answers, MONTH) if each.code == "sessions-folded"]
    assert (said.severity, said.lines, said.amount) == ("info", 32, Decimal(34))
    assert "20 sessions of 2 roles, 32 CUR lines, 34.00 USD" in said.words
    assert "3 rows in place of 32" in said.words


def test_as_billed_no_byte_of_a_store_speaks_of_it(read_once: Path, tmp_path: Path) -> None:
    plain = workspace(tmp_path, None, cur=read_once / "cur")
    plain.refresh()
    (period,) = plain.store.periods(plain.source.source_id)
    assert "folded" not in json.loads((period.folder / "manifest.json").read_text())
    assert {file.name for file in period.folder.iterdir()} == {"manifest.json", "spend.parquet"}
    assert principals(plain) == {*CALLS, NAMED, *BY_SDK, *OTHERS}


def test_a_folded_store_has_no_other_files(read_once: Path, tmp_path: Path) -> None:
    folding = workspace(tmp_path, FEWEST, cur=read_once / "cur")
    folding.refresh()
    (period,) = folding.store.periods(folding.source.source_id)
    assert {file.name for file in period.folder.iterdir()} == {"manifest.json", "spend.parquet"}
    assert period.is_whole()


def test_the_number_is_of_sessions_with_the_same_tags(read_once: Path, tmp_path: Path) -> None:
    for above, kept in ((7, {FOLDED, f"{ROLE}batch/sdk-*"}), (8, {FOLDED, *BY_SDK})):
        folding = workspace(tmp_path, above, f"store-{above}", cur=read_once / "cur")
        folding.refresh()
        assert principals(folding) - {NAMED, *OTHERS} == kept
    none = workspace(tmp_path, 12, "store-12", cur=read_once / "cur")
    none.refresh()
    assert principals(none) == {*CALLS, NAMED, *BY_SDK, *OTHERS}
    assert "sessions-folded" not in codes(none)


def test_a_role_is_a_gateway_as_before_and_an_sdks_is_none(read_once: Path) -> None:
    found = gateways(made(read_once).answers(), View(MONTH, "USD", EVERYTHING), "tenant")
    assert [(row["principal"], row["cost"]) for row in found.to_dict("records")] == [
        (OF_THE_ROLE, Decimal(70))
    ]


def test_a_ranking_names_them_as_people_do(read_once: Path) -> None:
    role = View(MONTH, "USD", EVERYTHING).narrowed("principal", OF_THE_ROLE)
    ranking = rank(made(read_once).answers(), role, "iam_principal")
    assert dict(zip(ranking["name"], ranking["cost"], strict=True)) == {
        "ann": Decimal(40),
        "other sessions": Decimal(30),
    }


@pytest.mark.parametrize(
    ("principal", "theirs"),
    [(FOLDED, CALLS), (NAMED, [NAMED]), (f"{ROLE}batch/sdk-*", BY_SDK), (OTHERS[-1], OTHERS[-1:])],
)
def test_single_lines_of_a_caller_are_those_of_all_that_it_stands_for(
    read_once: Path, principal: str, theirs: list[str]
) -> None:
    made_ = made(read_once)
    view = View(MONTH, "USD", EVERYTHING).narrowed("iam_principal", principal)
    lines = cur_lines(made_.answers(), made_.source, view, None, 0)
    assert set(lines["iam_principal"]) == set(theirs)
    whole_month = rank(made_.answers(), view, "iam_principal")
    assert total(lines) == total(whole_month) > 0
    of_a_day = cur_lines(made_.answers(), made_.source, view, date(2026, 10, 1), 0)
    assert set(of_a_day["iam_principal"]) == (set(CALLS) if principal == FOLDED else set())


# Rules that begin to read sessions.

READING: dict[str, Any] = {
    "a pattern on sessions": {
        "attribution": {"cost_center": [{"pattern": "(?P<value>[0-9]+)$", "on": "session"}]}
    },
    "a pattern on principals": {
        "attribution": {"cost_center": [{"pattern": "/(?P<value>call-1)", "on": "principal"}]}
    },
    "an owner's session": [CALLS[3]],
    "an owner's sessions": [f"{ROLE}gw/call-1*"],
    "an owner of whatever ends so": ["*-05"],
}
NOT_READING: dict[str, Any] = {
    "a pattern on roles": {
        "attribution": {"cost_center": [{"pattern": "^(?P<value>g.)", "on": "role"}]}
    },
    "a pattern on resources": {
        "attribution": {"cost_center": [{"pattern": "(?P<value>.+)", "on": "resource"}]}
    },
    "a tag": {"attribution": {"cost_center": ["iamPrincipal/tenant"]}},
    "an owner's role": [OF_THE_ROLE],
    "an owner's roles": ["arn:aws:iam::*:role/g*"],
    "an owner of all sessions": [f"{ROLE}gw/*", "*"],
    "an owner of a role that stays as it is": [f"{ROLE}lambda/acme", f"{ROLE}web/*-a"],
}


def with_rules(folder: Path, rules: Any) -> Workspace:  # noqa: ANN401
    return made(folder, **(owned(folder, *rules) if isinstance(rules, list) else rules))


@pytest.mark.parametrize("rules", READING.values(), ids=READING)
def test_what_begins_to_read_sessions_says_so_until_the_month_is_read(
    folder: Path,
    rules: Any,  # noqa: ANN401
) -> None:
    reading = with_rules(folder, rules)
    said = [e for e in notices_of(reading.answers(), MONTH) if e.code == "sessions-read-since"]
    assert [(each.severity, each.lines, each.amount) for each in said] == [
        ("blocks-close", 32, Decimal(34))
    ]
    assert f"refresh --month {MONTH}" in said[0].words
    assert [each.billing_period for each in reading.out_of_date()] == [MONTH]
    assert [each.billing_period for each in reading.refolded_months()] == [MONTH]
    assert reading.refresh() == [MONTH]
    assert "sessions-read-since" not in codes(reading)
    assert set(CALLS) & principals(reading)
    assert reading.refresh() == []


@pytest.mark.parametrize("on", ["session", "principal"])
def test_until_then_no_pattern_takes_what_stands_for_them_for_a_name(folder: Path, on: str) -> None:
    pattern = {"pattern": "(?P<value>[^/]+)$", "on": on}
    reading = made(folder, attribution={"cost_center": [pattern]})
    ranking = rank(reading.answers(), View(MONTH, "USD", EVERYTHING), "cost_center")
    costs = dict(zip(ranking["unit"], ranking["cost"], strict=True))
    assert costs["ann"] == Decimal(40)
    assert costs["(unallocated)"] == Decimal(34)  # all that are kept as one


@pytest.mark.parametrize("rules", NOT_READING.values(), ids=NOT_READING)
def test_what_reads_no_sessions_says_nothing_and_reads_nothing(
    folder: Path,
    rules: Any,  # noqa: ANN401
) -> None:
    same = with_rules(folder, rules)
    assert "sessions-folded" in codes(same)
    assert "sessions-read-since" not in codes(same)
    assert same.refresh() == []
    assert same.refolded_months() == []


def test_rules_of_allocation_read_sessions_too(folder: Path) -> None:
    assert "sessions-read-since" not in codes(made(folder, **taking("arn:aws:iam::*:role/gw")))
    taken = made(folder, **taking("*/call-1*"))
    assert "sessions-read-since" in codes(taken)
    assert taken.refresh() == [MONTH]
    assert principals(taken) & set(CALLS) == set(CALLS[10:])


def test_a_rule_that_was_there_when_the_month_was_read_is_no_news(
    read_once: Path, tmp_path: Path
) -> None:
    settings_ = {"cur": read_once / "cur", **owned(tmp_path, CALLS[0], f"{ROLE}gw/call-1*")}
    first = workspace(tmp_path, FEWEST, **settings_)
    first.refresh()
    assert principals(first) & set(CALLS) == {CALLS[0], CALLS[10], CALLS[11]}
    assert "sessions-read-since" not in codes(first)
    fewer = workspace(tmp_path, FEWEST, **settings_ | owned(tmp_path, CALLS[0]))
    assert "sessions-read-since" not in codes(fewer)
    assert fewer.refresh() == []
    more = workspace(tmp_path, FEWEST, **settings_ | owned(tmp_path, CALLS[0], CALLS[1]))
    assert "sessions-read-since" in codes(more)


def test_a_month_that_the_bill_no_longer_holds_goes_on_saying_so(
    read_once: Path, tmp_path: Path
) -> None:
    cur = shutil.copytree(read_once / "cur", tmp_path / "cur")
    workspace(tmp_path, FEWEST).refresh()
    for file in cur.rglob("*.parquet"):
        file.unlink()
    write_bill(cur, {"2026-11": [line("1")]})
    reading = workspace(tmp_path, FEWEST, **owned(tmp_path, CALLS[3]))
    assert reading.refresh() == ["2026-11"]
    assert {"sessions-read-since", "period-gone"} <= set(codes(reading))
    assert reading.refolded_months() == []


# Other settings.


@pytest.mark.parametrize("above", [None, 8])
def test_another_number_reads_the_month_anew(folder: Path, above: int | None) -> None:
    other = made(folder, above)
    assert [each.billing_period for each in other.out_of_date()] == [MONTH]
    assert other.refresh() == [MONTH]
    assert set(BY_SDK) <= principals(other)
    assert (FOLDED in principals(other)) == bool(above)
    assert other.refresh() == []


def test_switched_on_months_that_are_there_are_folded(read_once: Path, tmp_path: Path) -> None:
    cur = read_once / "cur"
    workspace(tmp_path, None, cur=cur).refresh()
    assert workspace(tmp_path, FEWEST, cur=cur).refresh() == [MONTH]
    assert FOLDED in principals(workspace(tmp_path, FEWEST, cur=cur))


def test_a_delivery_that_was_not_taken_is_not_read_again_and_again(
    read_once: Path, tmp_path: Path
) -> None:
    shutil.copytree(read_once / "cur", tmp_path / "cur")
    workspace(tmp_path, FEWEST).refresh()
    write_bill(tmp_path / "cur", {MONTH: LINES[:20]})
    smaller = workspace(tmp_path, FEWEST)
    assert smaller.refresh() == []
    assert "delivery-smaller" in codes(smaller)
    reading = workspace(tmp_path, FEWEST, **owned(tmp_path, CALLS[3]))
    assert reading.out_of_date() == []
    assert "sessions-read-since" in codes(reading)
    reading.accept(MONTH, Actor(machine_user()))
    assert CALLS[3] in principals(reading)
    assert "sessions-read-since" not in codes(reading)
