"""Writes one month of a large CUR 2.0 export, straight from DuckDB.

Every line is one hour of one meter of one caller, scattered over the files: no two rows of a day
lie side by side. The same arguments give the same lines.
"""

from __future__ import annotations

import calendar
from datetime import datetime
from pathlib import Path

import duckdb

EXPORT = "bedrock-cur2"
MILLION = 1_000_000
FILE_LINES = MILLION
ROW_GROUP_LINES = 250_000
ROWS_PER_MILLION_LINES = 140_000
"""Rows of the store that a million lines leave: 5 million leave 700,000."""
METERS = 16
"""Of which one is not Bedrock's, see LINES."""

SCATTER = 2_654_435_761
"""A prime about 2^32 times the golden ratio: multiples of it, modulo a number that it does not
divide, visit every number once, far from each other."""

METER_TABLE = """
    CREATE TABLE meter AS
    SELECT
        row_number() OVER () - 1 AS meter,
        *,
        CASE seller WHEN 'AWS' THEN 'Amazon Web Services, Inc.' ELSE 'Anthropic, PBC' END AS legal
    FROM (VALUES
        ('AWS', 'AmazonBedrock', 'Amazon Bedrock', 'USE1-Claude4.6Sonnet-input-tokens',
         '1K tokens', '$0.003 per 1K input tokens', 0.003),
        ('AWS', 'AmazonBedrock', 'Amazon Bedrock', 'USE1-Claude4.6Sonnet-output-tokens',
         '1K tokens', '$0.015 per 1K output tokens', 0.015),
        ('AWS', 'AmazonBedrock', 'Amazon Bedrock',
         'USE1-Claude4.6Sonnet-cache-read-input-token-count',
         '1K tokens', '$0.0003 per 1K cached tokens', 0.0003),
        ('AWS', 'AmazonBedrock', 'Amazon Bedrock',
         'USE1-Claude4.6Sonnet-cache-write-input-token-count',
         '1K tokens', '$0.00375 per 1K tokens written to the cache', 0.00375),
        ('AWS', 'AmazonBedrockService', 'Amazon Bedrock Service',
         'USE1-Claude4.6Opus-input-tokens-cross-region-global',
         '1K tokens', '$0.005 per 1K input tokens', 0.005),
        ('AWS', 'AmazonBedrockService', 'Amazon Bedrock Service',
         'USE1-Claude4.6Opus-output-tokens-cross-region-global',
         '1K tokens', '$0.025 per 1K output tokens', 0.025),
        ('AWS', 'AmazonBedrock', 'Amazon Bedrock', 'USE1-Nova2.0Lite-input-tokens-flex',
         '1K tokens', '$0.00015 per 1K input tokens', 0.00015),
        ('AWS', 'AmazonBedrock', 'Amazon Bedrock', 'USE1-Nova2.0Lite-cache-read-input-token-count',
         '1K tokens', '$0.00003 per 1K cached tokens', 0.00003),
        ('AWS', 'AmazonBedrock', 'Amazon Bedrock',
         'USE1-openai.gpt-oss-120b-mantle-input-tokens-standard',
         '1K tokens', '$0.00015 per 1K input tokens', 0.00015),
        ('AWS', 'AmazonBedrock', 'Amazon Bedrock', 'USE1-Llama4-Maverick-17B-input-tokens-batch',
         '1K tokens', '$0.00012 per 1K input tokens', 0.00012),
        ('AWS Marketplace', 'e4x1haiku45', 'Claude Haiku 4.5 (Amazon Bedrock Edition)',
         'USE1-MP:USE1_InputTokenCount-Units', 'Units',
         'AWS Marketplace software usage|us-east-1|Million Input Tokens Regional', 1.0),
        ('AWS Marketplace', 'e4x1haiku45', 'Claude Haiku 4.5 (Amazon Bedrock Edition)',
         'USE1-MP:USE1_OutputTokenCount-Units', 'Units',
         'AWS Marketplace software usage|us-east-1|Million Response Tokens Regional', 5.0),
        ('AWS Marketplace', 'e4x1sonnet55', 'Claude Sonnet 5.5 (Amazon Bedrock Edition)',
         'USE1-MP:USE1_input_tokens_standard-Units', 'Units',
         'AWS Marketplace software usage|us-east-1|Million Input Tokens', 3.0),
        ('AWS Marketplace', 'e4x1sonnet55', 'Claude Sonnet 5.5 (Amazon Bedrock Edition)',
         'USE1-MP:USE1_output_tokens_standard-Units', 'Units',
         'AWS Marketplace software usage|us-east-1|Million Output Tokens', 15.0),
        ('AWS Marketplace', 'e4x1sonnet55', 'Claude Sonnet 5.5 (Amazon Bedrock Edition)',
         'USE1-MP:USE1_cache_read_tokens_standard-Units', 'Units',
         'AWS Marketplace software usage|us-east-1|Million Cache Read Tokens', 0.3),
        ('AWS', 'AmazonEC2', 'Amazon Elastic Compute Cloud', 'USE1-BoxUsage:m7i.large',
         'Hrs', '$0.1008 per On Demand Linux m7i.large Instance Hour', 0.1008)
    ) AS meter (seller, product_code, product_name, usage_type, unit, description, price)
"""

CALLER_TABLE = """
    CREATE TABLE caller AS
    SELECT
        caller,
        (400000000000 + caller % 20)::VARCHAR AS account,
        'workload-' || caller % 20 AS account_name,
        CASE WHEN caller % 50 > 0 THEN
            'arn:aws:sts::' || (400000000000 + caller % 20) || ':assumed-role/service-'
            || caller % $roles || '/session-' || caller
        END AS iam_principal,
        CASE WHEN caller % 50 > 0 THEN map {
            'iamPrincipal/team': 'team-' || caller % 12,
            'iamPrincipal/tenant': 'tenant-' || caller % $tenants,
            'iamPrincipal/cost-center': 'CC-' || 100 + caller % 12,
            'accountTag/environment': CASE caller % 3 WHEN 0 THEN 'prod' ELSE 'dev' END
        } ELSE map {} END AS tags,
        CASE WHEN caller % 4 = 0 THEN
            'arn:aws:bedrock:us-east-1:' || (400000000000 + caller % 20)
            || ':application-inference-profile/' || substr(md5(caller::VARCHAR), 1, 12)
        END AS resource_id
    FROM range($callers) AS callers (caller)
"""

LINES = """
    SELECT
        seller AS bill_billing_entity,
        substr(md5(seller || $month), 1, 10) AS bill_invoice_id,
        '999988887777' AS bill_payer_account_id,
        map {'environment': account_name} AS cost_category,
        md5(line::VARCHAR) AS identity_line_item_id,
        'USD' AS line_item_currency_code,
        iam_principal AS line_item_iam_principal,
        legal AS line_item_legal_entity,
        description AS line_item_line_item_description,
        'Usage' AS line_item_line_item_type,
        CAST(NULL AS DOUBLE) AS line_item_net_unblended_cost,
        'InvokeModelInference' AS line_item_operation,
        product_code AS line_item_product_code,
        resource_id AS line_item_resource_id,
        round(amount * price, 10) AS line_item_unblended_cost,
        account AS line_item_usage_account_id,
        account_name AS line_item_usage_account_name,
        amount AS line_item_usage_amount,
        $first_hour + to_hours(hour + 1) AS line_item_usage_end_date,
        $first_hour + to_hours(hour) AS line_item_usage_start_date,
        usage_type AS line_item_usage_type,
        unit AS pricing_unit,
        map {'product_name': product_name, 'region': 'us-east-1'} AS product,
        'us-east-1' AS product_region_code,
        map {'user_team': 'team-' || caller % 12} AS resource_tags,
        tags
    FROM (
        SELECT
            line,
            cell % $hours AS hour,
            cell // $hours % $meters AS meter,
            cell // $hours // $meters AS caller,
            (cell * 7919 % 1000003 + 1) / CASE cell // $hours % $meters // 10
                WHEN 0 THEN 1e3 ELSE 1e6 END AS amount
        FROM (
            SELECT line, line * $scatter % ($hours * $meters * $callers) AS cell
            FROM range($first_line, $end_line) AS lines (line)
        )
    )
    INNER JOIN meter USING (meter)
    INNER JOIN caller USING (caller)
"""
"""The columns that chargeback/sources/cur2.py names, of some consecutive lines."""

TAXES = """
    SELECT * REPLACE (
        'Tax' AS line_item_line_item_type,
        NULL AS line_item_iam_principal,
        NULL AS line_item_resource_id,
        'Tax for product code ' || line_item_product_code AS line_item_line_item_description,
        map {} AS tags
    )
    FROM lines
    WHERE line_item_product_code <> 'AmazonEC2'
    LIMIT 20
"""


def write_month(  # noqa: PLR0913 -- each says how large a bill is
    folder: Path,
    month: str,
    millions: float,
    *,
    callers: int | None = None,
    roles: int = 300,
    tenants: int = 200,
) -> None:
    """Writes a billing period of so many million lines below `folder`, in AWS's own layout.

    Args:
        folder: of the export; what it holds of the period must not be there yet.
        month: YYYY-MM.
        millions: lines.
        callers: who made them; by default the more, the more lines there are.
        roles: principals whose sessions the callers are, at most one for each of them.
        tenants: for whom.
    """
    partition = folder / EXPORT / "data" / f"BILLING_PERIOD={month}"
    partition.mkdir(parents=True)
    year, number = int(month[:4]), int(month[5:])
    days = calendar.monthrange(year, number)[1]
    callers = callers or int(ROWS_PER_MILLION_LINES * millions) // (days * (METERS - 1))
    lines_in_all = int(millions * MILLION)
    shape = {
        "callers": callers,
        "first_hour": datetime(year, number, 1),
        "hours": 24 * days,
        "meters": METERS,
        "month": month,
        "scatter": SCATTER,
    }
    with duckdb.connect() as connection:
        connection.execute(METER_TABLE)
        connection.execute(CALLER_TABLE, {"callers": callers, "roles": roles, "tenants": tenants})
        for first in range(0, lines_in_all, FILE_LINES):
            end = min(first + FILE_LINES, lines_in_all)
            span = {"first_line": first, "end_line": end}
            lines = connection.sql(LINES, params={**shape, **span})
            _write(lines, partition / f"{EXPORT}-{first // FILE_LINES + 1:05d}.snappy.parquet")
        lines.create_view("lines")
        _write(connection.sql(TAXES), partition / f"{EXPORT}-taxes.snappy.parquet")


def _write(lines: duckdb.DuckDBPyRelation, file: Path) -> None:
    lines.write_parquet(str(file), compression="snappy", row_group_size=ROW_GROUP_LINES)
