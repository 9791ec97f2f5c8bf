import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from chargeback.demo import write_demo

TODAY = date(2026, 11, 23)
COLUMNS = (Path(__file__).parents[1] / "cur2-columns.txt").read_text().split()
IS_BEDROCK = """(
    bill_billing_entity = 'AWS' and line_item_product_code like '%Bedrock%'
    or bill_billing_entity = 'AWS Marketplace' and product['product_name'] like '%Bedrock%'
)"""
USAGE = "line_item_line_item_type = 'Usage'"
MARKETPLACE = "bill_billing_entity = 'AWS Marketplace'"
FIRST_MONTH_OF_PRINCIPALS = "2026-04"
MANTLE_WITHOUT_PRINCIPALS = ["2026-04", "2026-05", "2026-06"]
NET_PERIODS_OF_STORY = ["2025-10", "2025-11"]


def parquet_files(export: Path) -> list[Path]:
    return sorted(export.glob("bedrock-cur2/data/*/bedrock-cur2-00001.snappy.parquet"))


def every_file(export: Path) -> list[Path]:
    return sorted(path for path in export.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def recent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("recent")
    write_demo(out, today=TODAY, months=3, lines=2_000)
    return out


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("story")
    write_demo(out, today=TODAY, months=14, lines=500)
    return out


def by_period(export: Path, expression: str, where: str = "true") -> dict[str, float]:
    """An aggregate for every billing period of the export."""
    files = str(export / "bedrock-cur2/data/*/*.parquet")
    lines = duckdb.read_parquet(files, hive_partitioning=True)
    grouped = lines.filter(where).aggregate(f"BILLING_PERIOD, {expression}", "BILLING_PERIOD")
    rows = grouped.order("BILLING_PERIOD").fetchall()
    return dict(rows)


def lines_by_period(export: Path, predicate: str) -> dict[str, float]:
    return by_period(export, f"count(*) filter ({predicate})")


# ---- the export ----------------------------------------------------------------------------------


def test_each_month_has_one_file_and_one_manifest(story: Path) -> None:
    periods = [path.parent.name for path in parquet_files(story)]
    assert (len(periods), periods[0], periods[-1]) == (
        14,
        "BILLING_PERIOD=2025-10",
        "BILLING_PERIOD=2026-11",
    )
    for period in periods:
        manifest = story / "bedrock-cur2/metadata" / period / "bedrock-cur2-Manifest.json"
        content = json.loads(manifest.read_text(encoding="utf-8"))
        assert [story / name for name in content["dataFiles"]] == [
            story / "bedrock-cur2/data" / period / "bedrock-cur2-00001.snappy.parquet"
        ]
        assert set(content["columns"]) == set(COLUMNS)


def test_columns_are_those_of_a_full_export(story: Path) -> None:
    for path in parquet_files(story):
        assert sorted(pq.read_schema(path).names) == sorted(COLUMNS)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("bill_billing_period_start_date", "TIMESTAMP"),
        ("bill_billing_period_end_date", "TIMESTAMP"),
        ("line_item_usage_start_date", "TIMESTAMP"),
        ("line_item_usage_end_date", "TIMESTAMP"),
        ("line_item_unblended_cost", "DOUBLE"),
        ("line_item_net_unblended_cost", "DOUBLE"),
        ("line_item_blended_cost", "DOUBLE"),
        ("line_item_usage_amount", "DOUBLE"),
        ("line_item_normalization_factor", "DOUBLE"),
        ("pricing_public_on_demand_cost", "DOUBLE"),
        ("discount_total_discount", "DOUBLE"),
        ("discount_bundled_discount", "DOUBLE"),
        ("reservation_effective_cost", "DOUBLE"),
        ("reservation_unused_quantity", "DOUBLE"),
        ("savings_plan_used_commitment", "DOUBLE"),
        ("split_line_item_split_usage_ratio", "DOUBLE"),
        ("line_item_unblended_rate", "VARCHAR"),
        ("line_item_net_unblended_rate", "VARCHAR"),
        ("line_item_blended_rate", "VARCHAR"),
        ("pricing_public_on_demand_rate", "VARCHAR"),
        ("reservation_start_time", "VARCHAR"),
        ("reservation_end_time", "VARCHAR"),
        ("line_item_iam_principal", "VARCHAR"),
        ("bill_invoice_id", "VARCHAR"),
        ("identity_line_item_id", "VARCHAR"),
        ("product", "MAP(VARCHAR, VARCHAR)"),
        ("tags", "MAP(VARCHAR, VARCHAR)"),
        ("resource_tags", "MAP(VARCHAR, VARCHAR)"),
        ("cost_category", "MAP(VARCHAR, VARCHAR)"),
        ("discount", "MAP(VARCHAR, DOUBLE)"),
    ],
)
def test_types_are_those_of_the_dictionary_in_every_period(
    story: Path, column: str, expected: str
) -> None:
    for path in parquet_files(story):
        assert str(duckdb.read_parquet(str(path)).select(column).types[0]) == expected


def test_same_arguments_same_bytes(recent: Path, tmp_path: Path) -> None:
    write_demo(tmp_path, today=TODAY, months=3, lines=2_000)
    first, second = every_file(recent), every_file(tmp_path)
    assert [path.relative_to(recent) for path in first] == [
        path.relative_to(tmp_path) for path in second
    ]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_lines_ramp_up_to_what_was_asked_for(tmp_path: Path) -> None:
    asked = 8_000
    write_demo(tmp_path, today=date(2026, 11, 30), months=2, lines=asked)
    lines = by_period(tmp_path, "count(*)")
    # The open month lacks one day of thirty; other services come on top.
    assert asked * 0.95 < lines["2026-11"] < asked * 1.1
    assert lines["2026-10"] < asked * 1.1


def test_small_exports_are_small(story: Path) -> None:
    assert max(by_period(story, "count(*)").values()) < 500 * 1.2


def test_progress_is_told_period_by_period(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    write_demo(tmp_path, today=TODAY, months=2, lines=1, progress=lambda *step: told.append(step))
    assert told == [("2026-10", 1, 2), ("2026-11", 2, 2)]


@pytest.mark.parametrize(("months", "lines"), [(0, 500), (3, 0)])
def test_nothing_to_write_is_refused(tmp_path: Path, months: int, lines: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        write_demo(tmp_path, today=TODAY, months=months, lines=lines)
    assert every_file(tmp_path) == []


@pytest.mark.parametrize(
    ("today", "period", "delivered"),
    [
        (TODAY, "2026-09", datetime(2026, 10, 8, 6, 12, tzinfo=UTC)),
        (TODAY, "2026-11", datetime(2026, 11, 23, 6, 12, tzinfo=UTC)),
        (date(2026, 11, 3), "2026-10", datetime(2026, 11, 3, 6, 12, tzinfo=UTC)),
    ],
)
def test_files_are_dated_as_delivered(
    tmp_path: Path, today: date, period: str, delivered: datetime
) -> None:
    write_demo(tmp_path, today=today, months=3, lines=1)
    files = [path for path in every_file(tmp_path) if period in str(path)]
    assert [path.stat().st_mtime for path in files] == [delivered.timestamp()] * 2


# ---- money and time ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "column",
    ["line_item_unblended_cost", "line_item_net_unblended_cost", "discount_total_discount"],
)
def test_money_has_at_most_ten_decimals(recent: Path, column: str) -> None:
    values = [
        value
        for path in parquet_files(recent)
        for value in pq.read_table(path, columns=[column])[column].drop_null().to_pylist()
    ]
    assert values
    exponents = [Decimal(repr(value)).as_tuple().exponent for value in values]
    assert min(int(exponent) for exponent in exponents) >= -10


def test_usage_costs_its_amount_times_its_rate(recent: Path) -> None:
    wrong = """
        line_item_line_item_type = 'Usage'
        and abs(line_item_usage_amount * line_item_unblended_rate::double
                - line_item_unblended_cost) > 1e-9 * (1 + line_item_unblended_cost)
    """
    assert set(lines_by_period(recent, wrong).values()) == {0}


def test_net_periods_come_first_and_have_no_discount_lines(story: Path) -> None:
    net = lines_by_period(story, "line_item_net_unblended_cost is not null")
    discounts = lines_by_period(story, "line_item_line_item_type = 'EdpDiscount'")
    totals = by_period(story, "count(*)")
    assert [period for period, lines in net.items() if lines] == NET_PERIODS_OF_STORY
    assert [period for period, lines in discounts.items() if not lines] == NET_PERIODS_OF_STORY
    assert all(net[period] == totals[period] for period in NET_PERIODS_OF_STORY)


def test_net_costs_are_six_percent_less_for_what_aws_sells(recent: Path) -> None:
    net = by_period(
        recent,
        "sum(line_item_net_unblended_cost) / sum(line_item_unblended_cost)",
        f"{IS_BEDROCK} and bill_billing_entity = 'AWS' and line_item_line_item_type = 'Usage'"
        " and line_item_net_unblended_cost is not null",
    )
    assert list(net) == ["2026-09", "2026-10"]
    assert list(net.values()) == pytest.approx([0.94, 0.94])


def test_discounts_explain_the_net_costs(recent: Path) -> None:
    unexplained = """
        abs(line_item_unblended_cost + discount_total_discount - line_item_net_unblended_cost)
            > 1e-9
        or coalesce(discount['edp_discount'], 0) <> discount_total_discount
    """
    assert set(lines_by_period(recent, unexplained).values()) == {0}


def test_spend_grows_from_sixty_to_a_hundred_and_eighty_five_thousand(story: Path) -> None:
    cost = "sum(coalesce(line_item_net_unblended_cost, line_item_unblended_cost))"
    spend = by_period(story, cost, IS_BEDROCK)
    days_used, days_of_november = 22, 30
    assert spend["2025-10"] == pytest.approx(60_000, rel=0.1)
    assert spend["2026-11"] * days_of_november / days_used == pytest.approx(185_000, rel=0.1)


def test_the_runaway_is_over_before_the_open_month(recent: Path) -> None:
    agent = by_period(
        recent,
        "sum(line_item_unblended_cost) / count(distinct line_item_usage_start_date::date)",
        "line_item_iam_principal like '%/research-agent/%' and line_item_line_item_type = 'Usage'",
    )
    assert agent["2026-09"] > 3 * agent["2026-10"]
    assert agent["2026-11"] == pytest.approx(agent["2026-10"], rel=0.5)


def test_support_moves_from_opus_to_haiku(story: Path) -> None:
    support = "line_item_usage_account_name = 'contact-center'"
    opus = lines_by_period(story, f"{support} and line_item_usage_type like '%Opus%'")
    haiku = lines_by_period(
        story, f"{support} and line_item_usage_type like 'USE1-MP:%' and {IS_BEDROCK}"
    )
    assert max(period for period, lines in opus.items() if lines) == "2026-06"
    assert min(period for period, lines in haiku.items() if lines) >= "2026-06"
    assert haiku["2026-10"] > 0


def test_no_use_is_later_than_today_or_than_its_period(story: Path) -> None:
    late = f"{USAGE} and line_item_usage_end_date > '{TODAY}'"
    assert max(lines_by_period(story, late).values()) == 0
    outside = "line_item_usage_start_date >= bill_billing_period_end_date"
    assert max(lines_by_period(story, outside).values()) == 0


def test_line_ids_are_unique(recent: Path) -> None:
    assert by_period(recent, "count(distinct identity_line_item_id)") == by_period(
        recent, "count(*)"
    )


def test_the_first_of_a_month_has_use_too(tmp_path: Path) -> None:
    write_demo(tmp_path, today=date(2026, 3, 1), months=1, lines=500)
    assert by_period(tmp_path, "count(distinct line_item_iam_principal)") == {"2026-03": 0}
    assert by_period(tmp_path, "sum(line_item_unblended_cost)", IS_BEDROCK)["2026-03"] > 0


# ---- invoices ------------------------------------------------------------------------------------


def invoices(export: Path) -> dict[str, float]:
    return by_period(export, "count(distinct nullif(bill_invoice_id, ''))")


def test_closed_months_have_an_invoice_of_aws_and_one_of_marketplace(recent: Path) -> None:
    assert invoices(recent) == {"2026-09": 2, "2026-10": 2, "2026-11": 0}
    for entity in ("AWS", "AWS Marketplace"):
        ids = by_period(
            recent, "count(distinct bill_invoice_id)", f"bill_billing_entity='{entity}'"
        )
        assert (ids["2026-09"], ids["2026-10"]) == (1, 1)


def test_the_previous_month_is_not_invoiced_in_the_first_days(tmp_path: Path) -> None:
    write_demo(tmp_path, today=date(2026, 11, 5), months=3, lines=1)
    assert invoices(tmp_path) == {"2026-09": 2, "2026-10": 0, "2026-11": 0}


# ---- nasty cases ---------------------------------------------------------------------------------

IN_EVERY_MONTH = {
    "older Marketplace grammar": "line_item_usage_type like '%_InputTokenCount_Global-Units'",
    "Marketplace 1 h cache write": "line_item_usage_type like '%CacheWrite1hInputTokenCount-Units'",
    "Marketplace without Region": "line_item_usage_type = 'USE1-MP:InputTokenCount-Units'",
    "Marketplace long context": "line_item_usage_type like '%InputTokenCount_Global_LCtx-Units'",
    "Marketplace without unit": f"{MARKETPLACE} and pricing_unit = 'Units' and"
    " line_item_line_item_description like '%|Input Tokens Regional'",
    "the seller": f"{MARKETPLACE} and line_item_legal_entity = 'Anthropic, PBC'",
    "own invoicing entity": f"{MARKETPLACE} and bill_invoicing_entity like '%EMEA%'",
    "NULL principal": f"{USAGE} and line_item_iam_principal is null",
    "old spelling of Ireland": "line_item_usage_type = 'EU-Claude3Haiku-input-tokens'",
    "global": "line_item_product_code = 'AmazonBedrockService'",
    "foundation models": "line_item_product_code = 'AmazonBedrockFoundationModels'",
    "units of a million": "pricing_unit = '1M tokens'",
    "units of a thousand": "pricing_unit = '1000 Tokens'",
    "batch": "line_item_usage_type like '%-tokens-batch'",
    "Marketplace batch": "line_item_usage_type like '%InputTokenCount_Batch-Units'",
    "flex": "line_item_usage_type like '%-tokens-flex'",
    "priority": "line_item_usage_type like '%-tokens-priority'",
    "latency-optimized": "line_item_usage_type like '%-latency-optimized'",
    "custom model": "line_item_usage_type like '%-custom-model'",
    "cache read": "line_item_usage_type like '%-cache-read-input-token-count'",
    "cache write": "line_item_usage_type like '%-cache-write-input-token-count'",
    "mantle": "line_item_usage_type like '%-mantle-input-tokens-standard'",
    "speech": "line_item_usage_type like '%NovaSonic-speech-input-tokens'",
    "images": "line_item_usage_type like '%NovaCanvas%' and pricing_unit = 'image'",
    "Marketplace images": "line_item_usage_type like '%_created_image-Units'",
    "embeddings": "line_item_usage_type like '%TitanEmbeddingV2-Text-input-tokens'",
    "rerank": "pricing_unit = 'Search Units'",
    "customization": "line_item_usage_type like '%-Customization-Training'",
    "provisioned throughput": "line_item_usage_type like '%-NoCommit-ModelUnits'",
    "Marketplace provisioned": "line_item_usage_type like '%ProvisionedThroughput_1Month%'",
    "guardrails": "line_item_usage_type like '%Guardrail-ContentPolicyUnitsConsumed'",
    "AgentCore": "line_item_product_code = 'AmazonBedrockAgentCore' and pricing_unit='vCPU-Hours'",
    "knowledge base": "line_item_usage_type like '%Knowledge-Base:Consumption-based:Retrieval'",
    "unknown usage type": "line_item_usage_type = 'USE1-Zephyr9-quantum-tokens'",
    "new product code": "line_item_product_code = 'AmazonBedrockStudio'",
    "credit without principal": "line_item_line_item_type = 'Credit'"
    " and line_item_iam_principal is null and line_item_unblended_cost < 0",
    "refund": "line_item_line_item_type = 'Refund' and line_item_unblended_cost < 0",
    "ten decimals": "line_item_unblended_cost = -42.1234567891",
    "fee": f"line_item_line_item_type = 'Fee' and {MARKETPLACE} and {IS_BEDROCK}",
    "tax of AWS": "line_item_line_item_type = 'Tax' and line_item_product_code = 'AmazonBedrock'",
    "tax of Marketplace": f"line_item_line_item_type = 'Tax' and {MARKETPLACE} and {IS_BEDROCK}",
    "tax on EC2": "line_item_line_item_type = 'Tax' and line_item_product_code = 'AmazonEC2'",
    "late use": "line_item_usage_start_date < bill_billing_period_start_date",
    "first second": "line_item_usage_start_date = bill_billing_period_start_date"
    " and line_item_usage_end_date = bill_billing_period_start_date + interval 1 second",
    "inference profile": "line_item_resource_id like 'arn:aws:bedrock:%inference-profile/%'"
    " and tags['resourceTags/team'] = 'search' and resource_tags['user_team'] = 'search'",
    "empty resource tag": "tags['resourceTags/app'] = ''",
    "account tag": "tags['accountTag/environment'] = 'prod'",
    "cost category": "cost_category['Division'] = tags['costCategory/Division']",
    "other services": "line_item_product_code in ('AmazonEC2', 'AmazonS3')",
    "Marketplace, not Bedrock": f"{MARKETPLACE} and product['product_name'] like 'Palisade%'",
    "hourly line": f"{USAGE} and line_item_usage_end_date - line_item_usage_start_date"
    " = interval 1 hour",
    "daily line": f"{USAGE} and line_item_usage_end_date - line_item_usage_start_date"
    " = interval 1 day",
}

NAMED = f"{USAGE} and line_item_iam_principal"
WITH_PRINCIPALS = {
    "empty principal": f"{USAGE} and line_item_iam_principal = ''",
    "gateway without tags": f"{NAMED} like '%:assumed-role/llm-gateway/llm-gateway'"
    " and tags['iamPrincipal/tenant'] is null",
    "developer": f"{NAMED} like '%/AWSReservedSSO_DeveloperAccess_0123456789abcdef/jane.doe@%'",
    "IAM user": f"{NAMED} like 'arn:aws:iam::%:user/ci-evals'",
    "API key": f"{NAMED} like 'arn:aws:iam::%:user/BedrockAPIKey-%'",
    "root": f"{NAMED} like 'arn:aws:iam::%:root'",
    "federated user": f"{NAMED} like '%:federated-user/pat.lee'",
    "federated without name": f"{NAMED} like '%:federated-user/'",
    "bare role": f"{NAMED} like 'arn:aws:iam::%:role/service/%'",
    "EC2": f"{NAMED} like '%/i-0a1b2c3d4e5f67890'",
    "empty tag": "tags['iamPrincipal/team'] = ''",
    "other spelling of team": "tags['iamPrincipal/Team'] = 'marketing'",
    "session tags": "tags['iamPrincipal/tenant'] = 'acme-corp' and tags['iamPrincipal/team'] <> ''"
    " and tags['iamPrincipal/project'] <> '' and tags['iamPrincipal/cost-center'] like 'CC-%'",
    "views that contradict": "tags['iamPrincipal/team'] <> tags['resourceTags/team']",
    "Japanese tenant": "tags['iamPrincipal/tenant'] = '株式会社サクラ'",
    "German tenant": "tags['iamPrincipal/tenant'] = 'Müller & Söhne GmbH'",
    "quoted tenant": "tags['iamPrincipal/tenant'] = 'O''Reilly, Inc.'",
    "formula tenant": "tags['iamPrincipal/tenant'] = '=HYPERLINK(\"http://evil.example\",\"x\")'",
    "markup tenant": "tags['iamPrincipal/tenant'] = '<b>Globex</b>'",
    "credit with principal": "line_item_line_item_type = 'Credit'"
    " and line_item_iam_principal like 'arn:%' and line_item_unblended_cost < 0",
}

RECENTLY = {
    "newer Marketplace grammar": "line_item_usage_type like '%MP:%_input_tokens_standard-Units'",
    "newer, global": "line_item_usage_type like '%_output_tokens_global_standard-Units'",
    "newer, long context": "line_item_usage_type like '%_input_tokens_long_ctx_standard-Units'",
    "newer, cache 30 m": "line_item_usage_type like '%_cache_write_tokens_30m_standard-Units'",
    "newer, cache 1 h": "line_item_usage_type like '%_cache_write_tokens_1h_standard-Units'",
    "mantle, cache 30 m": "line_item_usage_type like '%-mantle-cache-write-tokens-30m-standard'",
    "mantle with principal": "line_item_usage_type like '%-mantle-%'"
    " and line_item_iam_principal like 'arn:%'",
}


@pytest.mark.parametrize("case", IN_EVERY_MONTH)
def test_nasty_case_is_in_every_month(story: Path, recent: Path, case: str) -> None:
    for export in (story, recent):
        lines = lines_by_period(export, IN_EVERY_MONTH[case])
        assert [period for period, count in lines.items() if not count] == []


@pytest.mark.parametrize("case", WITH_PRINCIPALS)
def test_nasty_case_is_in_every_month_with_principals(story: Path, recent: Path, case: str) -> None:
    for export in (story, recent):
        lines = lines_by_period(export, WITH_PRINCIPALS[case])
        full = [count for period, count in lines.items() if period >= "2026-08"]
        assert min(full) > 0
        assert sum(n for period, n in lines.items() if period < FIRST_MONTH_OF_PRINCIPALS) == 0


@pytest.mark.parametrize("case", RECENTLY)
def test_nasty_case_is_in_every_recent_month(recent: Path, case: str) -> None:
    assert min(lines_by_period(recent, RECENTLY[case]).values()) > 0


def test_principals_begin_on_the_eighth_of_april(story: Path) -> None:
    named = "nullif(line_item_iam_principal, '') is not null"
    lines = lines_by_period(story, named)
    assert min(period for period, count in lines.items() if count) == FIRST_MONTH_OF_PRINCIPALS
    early = "line_item_usage_start_date < '2026-04-08' and (line_item_iam_principal is not null"
    early += " or len(list_filter(map_keys(tags), lambda key: key like 'iamPrincipal/%')) > 0)"
    assert max(lines_by_period(story, early).values()) == 0


def test_mantle_names_no_principal_in_its_first_months(story: Path) -> None:
    named = "line_item_usage_type like '%-mantle-%' and line_item_iam_principal is not null"
    lines = lines_by_period(story, named)
    assert [lines[period] for period in MANTLE_WITHOUT_PRINCIPALS] == [0, 0, 0]
    assert lines["2026-11"] > 0


def test_tags_spread_after_april(story: Path) -> None:
    tagged = """
        sum(line_item_unblended_cost) filter (tags['iamPrincipal/team'] <> ''
                                              or tags['iamPrincipal/Team'] <> '')
        / sum(line_item_unblended_cost)
    """
    share = by_period(story, tagged, f"{IS_BEDROCK} and {USAGE}")
    assert share["2026-04"] < share["2026-05"] < share["2026-08"]
    assert share["2026-10"] > 0.8


def test_the_last_second_of_closed_months_is_used(story: Path) -> None:
    last = "line_item_usage_start_date = bill_billing_period_end_date - interval 1 second"
    lines = lines_by_period(story, last)
    assert [period for period, count in lines.items() if not count] == ["2026-11"]


def test_usage_types_start_with_the_region_of_their_line(story: Path) -> None:
    regions = """case split_part(line_item_usage_type, '-', 1)
        when 'USE1' then 'us-east-1' when 'USW2' then 'us-west-2' when 'EUW1' then 'eu-west-1'
        when 'EU' then 'eu-west-1' when 'EUC1' then 'eu-central-1'
        when 'APN1' then 'ap-northeast-1' end"""
    wrong = f"{USAGE} and {regions} is distinct from product_region_code"
    assert max(lines_by_period(story, wrong).values()) == 0
    assert min(by_period(story, "count(distinct product_region_code)").values()) >= 5


def test_four_linked_accounts_share_the_bill(story: Path) -> None:
    assert set(by_period(story, "count(distinct bill_payer_account_id)").values()) == {1}
    assert set(by_period(story, "count(distinct line_item_usage_account_id)").values()) == {4}
