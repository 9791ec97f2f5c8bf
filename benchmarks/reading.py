"""Reading a month into the spend store, against bare DuckDB and against pandas.

    python -m benchmarks.reading --lines 1 5 20

All three read the same files, keep the Bedrock lines and sum them over the same 22 columns. Bare
DuckDB is SQL written by hand for this one export, and as exact as the product: costs go through
text into decimals. pandas sums floats, which is less work and not exact.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import duckdb
import pandas as pd

from benchmarks.bill import EXPORT, write_month
from benchmarks.measure import Measured, Row, arguments, measured, scratch, show
from chargeback.attribution.rules import AttributionRules
from chargeback.enrichment.delivery import delivery_comparison
from chargeback.enrichment.local import enrich
from chargeback.enrichment.rules import Rules
from chargeback.settings import Settings
from chargeback.sources.base import StoreKnowledge
from chargeback.sources.local.files import LocalFiles
from chargeback.store.base import Refresh
from chargeback.store.local import LocalStore
from chargeback.workspace import Workspace

MONTH = "2026-10"
BYTES_PER_MB = 1_000_000
ROUNDS = 3
LARGE, MOST_TIMES_DUCKDB, MOST_GIB = 20, 1.2, 4

Way = Callable[[Path, Path], Path]
"""Reads the export in a folder, writes near another path, and says to which file."""

MOST_FOR_PANDAS = 5
"""Million lines; four times as many would not fit into memory."""

BY_HAND = """
    SELECT
        billing_period,
        line_item_usage_start_date::DATE AS usage_date,
        coalesce(bill_payer_account_id, '') AS payer_account_id,
        coalesce(line_item_usage_account_id, '') AS usage_account_id,
        coalesce(line_item_usage_account_name, '') AS usage_account_name,
        coalesce(line_item_iam_principal, '') AS iam_principal,
        coalesce(tags::JSON::VARCHAR, '{}') AS tags,
        CASE WHEN cardinality(tags) > 0 THEN '{}'
             ELSE coalesce(resource_tags::JSON::VARCHAR, '{}') END AS resource_tags,
        CASE WHEN cardinality(tags) > 0 THEN '{}'
             ELSE coalesce(cost_category::JSON::VARCHAR, '{}') END AS cost_category,
        bill_billing_entity AS billing_entity,
        coalesce(line_item_product_code, '') AS product_code,
        coalesce(product['product_name'], '') AS product_name,
        coalesce(line_item_usage_type, '') AS usage_type,
        coalesce(line_item_operation, '') AS operation,
        coalesce(product_region_code, '') AS region,
        coalesce(line_item_resource_id, '') AS resource_id,
        coalesce(line_item_line_item_type, '') AS line_item_type,
        coalesce(pricing_unit, '') AS pricing_unit,
        CASE WHEN bill_billing_entity = 'AWS Marketplace' OR line_item_line_item_type <> 'Usage'
             THEN coalesce(line_item_line_item_description, '') ELSE '' END AS description,
        coalesce(bill_invoice_id, '') AS invoice_id,
        coalesce(line_item_legal_entity, '') AS legal_entity,
        coalesce(line_item_currency_code, '') AS currency,
        sum(line_item_usage_amount::VARCHAR::DECIMAL(38, 12)) AS usage_amount,
        sum(line_item_unblended_cost::VARCHAR::DECIMAL(38, 12)) AS unblended_cost,
        sum(line_item_net_unblended_cost::VARCHAR::DECIMAL(38, 12)) AS net_unblended_cost,
        count(*) AS line_count
    FROM cur
    WHERE billing_period = '2026-10' AND (
        bill_billing_entity = 'AWS'
        AND contains(lower(line_item_product_code), 'bedrock')
        OR bill_billing_entity = 'AWS Marketplace'
        AND contains(lower(product['product_name']), 'bedrock')
    )
    GROUP BY ALL
"""

SUMMED = ["line_item_usage_amount", "line_item_unblended_cost", "line_item_net_unblended_cost"]
TEXTS = [
    "bill_billing_entity",
    "bill_invoice_id",
    "bill_payer_account_id",
    "line_item_currency_code",
    "line_item_iam_principal",
    "line_item_legal_entity",
    "line_item_line_item_type",
    "line_item_operation",
    "line_item_product_code",
    "line_item_resource_id",
    "line_item_usage_account_id",
    "line_item_usage_account_name",
    "line_item_usage_type",
    "pricing_unit",
    "product_region_code",
]
MAPS = ["cost_category", "product", "resource_tags", "tags"]
DATED, DESCRIPTION = "line_item_usage_start_date", "line_item_line_item_description"


def by_duckdb(cur: Path, out: Path) -> Path:
    """Bare DuckDB."""
    with duckdb.connect() as connection:
        files = str(cur / EXPORT / "data" / "*" / "*.parquet")
        connection.read_parquet(files, hive_partitioning=True).create_view("cur")
        connection.sql(BY_HAND).write_parquet(str(out), compression="zstd")
    return out


def by_extract(cur: Path, out: Path) -> Path:
    """The product's reading, without what the store adds."""
    LocalFiles(cur).extract(MONTH, out, StoreKnowledge())
    return out


def by_refresh(cur: Path, out: Path) -> Path:
    """The product's refresh: reading, manifest, publication."""
    source, store = LocalFiles(cur), LocalStore(out)
    store.refresh(
        source, source.periods(), Refresh(delivery_comparison(Rules(AttributionRules(), "auto")))
    )
    (stored,) = store.periods(source.source_id)
    return stored.spend


def by_reports(cur: Path, out: Path) -> Path:
    """The same, and what the rows mean: all that comes before the first page."""
    workspace = Workspace(Settings(cur=cur, store=out, athena=None))
    workspace.refresh()
    (stored,) = workspace.store.periods(workspace.source.source_id)
    return enrich(stored, workspace.rules).daily


def by_pandas(cur: Path, out: Path) -> Path:
    """Pandas, as one would write it."""
    columns = [*TEXTS, *MAPS, *SUMMED, DATED, DESCRIPTION]
    lines = pd.read_parquet(cur / EXPORT / "data", columns=columns)
    lines["product"] = [dict(items).get("product_name", "") for items in lines["product"]]
    by_aws = lines["bill_billing_entity"] == "AWS"
    of_bedrock = lines["line_item_product_code"].where(by_aws, lines["product"])
    lines = lines[of_bedrock.str.contains("Bedrock")]
    for column in ("tags", "resource_tags", "cost_category"):
        lines[column] = [json.dumps(dict(items)) for items in lines[column]]
    lines.loc[lines["tags"] != "{}", ["resource_tags", "cost_category"]] = "{}"
    lines.loc[by_aws & (lines["line_item_line_item_type"] == "Usage"), DESCRIPTION] = ""
    lines[DATED] = lines[DATED].dt.floor("D")
    keys = [*TEXTS, *MAPS, DATED, DESCRIPTION]
    summed = lines.groupby(keys, dropna=False, sort=False)[SUMMED].sum()
    summed.reset_index().to_parquet(out, compression="zstd")
    return out


WAYS: dict[str, Way] = {
    "bare DuckDB": by_duckdb,
    "LocalFiles.extract": by_extract,
    "LocalStore.refresh": by_refresh,
    "Workspace.reports": by_reports,
    "pandas": by_pandas,
}


LARGE_WAYS = (by_refresh, by_duckdb)


def read(cur: Path, out: Path, millions: int, rounds: int) -> list[list[str]]:
    """Reads one bill in every way, in turns; a row of the table for each way."""
    took: dict[str, list[Measured[Path]]] = defaultdict(list)
    for number in range(rounds):
        for name, way in WAYS.items():
            # pandas is far from the others: once is enough.
            if way != by_pandas or (number == 0 and millions <= MOST_FOR_PANDAS):
                target = out / f"{name}-{millions}-{number}"
                took[name].append(measured(way, cur, target))
    base = took["bare DuckDB"]
    _check(took)
    return [_row(millions, name, runs, base) for name, runs in took.items()]


def _check(took: dict[str, list[Measured[Path]]]) -> None:
    """All ways keep the same rows and the same total, to the last digit where they are exact."""
    (rows, total), *others = [_kept(runs[0].answer) for runs in took.values()]
    for other_rows, other_total in others:
        assert (other_rows, round(other_total, 2)) == (rows, round(total, 2))
    exact = {_kept(runs[0].answer)[1] for name, runs in took.items() if name != "pandas"}
    assert exact == {total}


def _kept(spend: Path) -> tuple[int, Decimal]:
    cost = "line_item_unblended_cost" if "pandas" in spend.name else "unblended_cost"
    sql = f"SELECT count(*), sum({cost}) FROM read_parquet($file)"  # noqa: S608
    ((rows, total),) = duckdb.execute(sql, {"file": str(spend)}).fetchall()
    return rows, Decimal(total)


def _row(
    millions: int, name: str, runs: list[Measured[Path]], base: list[Measured[Path]]
) -> list[str]:
    pairs = list(zip(runs, base, strict=False))
    return [
        f"{millions} million lines, {name}",
        f"{median(run.seconds for run in runs):.1f}",
        f"{median(run.seconds / bare.seconds for run, bare in pairs):.2f}",
        f"{median(run.cpu_seconds for run in runs):.1f}",
        f"{median(run.cpu_seconds / bare.cpu_seconds for run, bare in pairs):.2f}",
        f"{max(run.peak_gib for run in runs):.1f}",
        f"{_kept(runs[0].answer)[0]:,}",
        f"{runs[0].answer.stat().st_size / BYTES_PER_MB:.0f}",
    ]


def rows(folder: Path) -> Iterator[Row]:
    """20 million lines into the store."""
    cur = measured(bill, folder, LARGE).answer
    with TemporaryDirectory(dir=folder) as out:
        pairs = [
            tuple(measured(way, cur, Path(out) / f"{way.__name__}-{number}") for way in LARGE_WAYS)
            for number in range(ROUNDS)
        ]
    ratio = median(ours.seconds / bare.seconds for ours, bare in pairs)
    seconds, bare_seconds = (
        median(run.seconds for run in runs) for runs in zip(*pairs, strict=True)
    )
    peak = max(ours.peak_gib for ours, _ in pairs)
    yield Row(
        what=f"{LARGE} million lines into the store",
        took=f"{seconds:.1f} s, {peak:.1f} GiB",
        baseline=f"bare DuckDB {bare_seconds:.1f} s",
        ratio=ratio,
        aim=f"{MOST_TIMES_DUCKDB} ×, under {MOST_GIB} GiB",
        is_met=ratio <= MOST_TIMES_DUCKDB and peak < MOST_GIB,
    )


def main() -> None:
    """Prints one table."""
    parser = arguments(__doc__)
    parser.add_argument("--lines", type=int, nargs="+", default=[1, 5], help="in millions")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    found = []
    with scratch(asked.folder) as folder, TemporaryDirectory(dir=folder) as out:
        for millions in asked.lines:
            cur = measured(bill, folder, millions).answer
            found += read(cur, Path(out), millions, asked.rounds)
    headings = ["reading", "seconds", "ratio", "CPU s", "ratio", "peak GiB", "rows", "MB"]
    show("Reading a month, ratio to bare DuckDB in the same round", headings, found)


def bill(folder: Path, millions: int) -> Path:
    """An export of one month; the one that an earlier run left, if there is one."""
    cur = folder / f"cur-{millions}"
    if not cur.exists():
        write_month(cur, MONTH, millions)
    return cur


if __name__ == "__main__":
    main()
