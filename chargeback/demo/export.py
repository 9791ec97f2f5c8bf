"""Writes a bill as AWS Data Exports delivers it: Snappy Parquet by billing period, and a manifest.

Layout: Data Exports User Guide, "Understanding export delivery"; the columns and their types: CUR
2.0 table dictionary.
"""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from chargeback.demo.company import PAYER
from chargeback.demo.lines import Integers, Lines, Period, Times
from chargeback.demo.meters import E10
from chargeback.demo.schema import SCHEMA
from chargeback.demo.settlement import net_discounts, net_rate

EXPORT_NAME = "bedrock-cur2"
_DELIVERED_AT = time(6, 12)
_FINAL_ON_DAY = 8
_LINE_ID_LETTERS = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", dtype=np.uint8)
_LINE_ID_LENGTH = 26


def _texts(values: Sequence[str | None], index: pa.Array) -> pa.Array:
    """A text column from the templates' values; every distinct text is kept once."""
    encoded = pa.array(values, pa.string()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices.take(index), encoded.dictionary)


def _maps(values: Sequence[Mapping[str, str] | None], index: pa.Array) -> pa.Array:
    items = [None if value is None else sorted(value.items()) for value in values]
    return pa.array(items, pa.map_(pa.string(), pa.string())).take(index)


def _dollars(cost: Integers) -> pa.Array:
    """Doubles whose shortest decimal form is exactly the cost."""
    return pa.array(cost / E10)


def _line_ids(count: int, rng: np.random.Generator) -> pa.Array:
    letters = _LINE_ID_LETTERS[rng.integers(0, 32, count * _LINE_ID_LENGTH, dtype=np.uint8)]
    offsets = np.arange(count + 1, dtype=np.int32) * _LINE_ID_LENGTH
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(letters))


def _intervals(start: Times, end: Times) -> pa.Array:
    """`identity_time_interval`: start and end of use, both to the second."""
    spans, of_line = np.unique(np.stack([start, end], axis=1), axis=0, return_inverse=True)
    texts = [f"{first}Z/{last}Z" for first, last in spans.astype(str)]
    return pa.DictionaryArray.from_arrays(pa.array(of_line.ravel(), pa.int32()), pa.array(texts))


def _per_template(lines: Lines) -> dict[str, pa.Array]:
    """Text and map columns."""
    index = pa.array(lines.template)
    texts = {column for template in lines.templates for column in template.text}
    maps = {column for template in lines.templates for column in template.maps}
    columns = {c: _texts([t.text.get(c) for t in lines.templates], index) for c in sorted(texts)}
    return columns | {
        c: _maps([t.maps.get(c) for t in lines.templates], index) for c in sorted(maps)
    }


def _per_line(period: Period, lines: Lines) -> dict[str, pa.Array]:
    """Times, amounts and costs."""
    count = len(lines.cost)
    cost = _dollars(lines.cost)
    priced = lines.flags(
        [template.text.get("pricing_term") is not None for template in lines.templates]
    )
    in_unit = np.array([template.quanta for template in lines.templates])[lines.template]
    first = np.full(count, period.first, dtype="datetime64[us]")
    last = np.full(count, period.end, dtype="datetime64[us]")
    return {
        "bill_billing_period_start_date": pa.array(first),
        "bill_billing_period_end_date": pa.array(last),
        "identity_time_interval": _intervals(lines.start, lines.end),
        "line_item_blended_cost": cost,
        "line_item_unblended_cost": cost,
        "line_item_usage_amount": pa.array(lines.quanta / in_unit),
        "line_item_usage_start_date": pa.array(lines.start.astype("datetime64[us]")),
        "line_item_usage_end_date": pa.array(lines.end.astype("datetime64[us]")),
        "pricing_public_on_demand_cost": pa.array(lines.cost / E10, mask=~priced),
    }


def _net(period: Period, lines: Lines) -> dict[str, pa.Array]:
    """The columns of net costs, where the period has them."""
    if not period.net:
        return {}
    discount = net_discounts(period, lines)
    offsets = np.concatenate([[0], np.cumsum(discount != 0)]).astype(np.int32)
    amounts = _dollars(discount[discount != 0])
    names = pa.repeat("edp_discount", len(amounts))
    return {
        "discount": pa.MapArray.from_arrays(pa.array(offsets), names, amounts),
        "discount_bundled_discount": pa.array(np.zeros(len(discount))),
        "discount_total_discount": _dollars(discount),
        "line_item_net_unblended_cost": _dollars(lines.cost + discount),
        "line_item_net_unblended_rate": _texts(
            [net_rate(template) for template in lines.templates], pa.array(lines.template)
        ),
    }


def table(period: Period, lines: Lines) -> pa.Table:
    """The bill as a CUR 2.0 table: every column of a full export, in the dictionary's order."""
    rng = np.random.default_rng([len(lines.cost), period.first.year, period.first.month])
    columns = _per_template(lines) | _per_line(period, lines) | _net(period, lines)
    columns["identity_line_item_id"] = _line_ids(len(lines.cost), rng)
    empty = {name: pa.nulls(len(lines.cost), kind) for name, kind in SCHEMA.items()}
    return pa.table({name: columns.get(name, empty[name]) for name in SCHEMA})


def delivered(period: Period) -> datetime:
    """When AWS last wrote the period's files: once final, or this morning."""
    final = period.end + timedelta(days=_FINAL_ON_DAY - 1)
    return datetime.combine(min(final, period.today), _DELIVERED_AT, UTC)


def _manifest(period: Period, data: str) -> str:
    content = {
        "exportName": EXPORT_NAME,
        "account": PAYER.id,
        "billingPeriod": {"start": period.first.isoformat(), "end": period.end.isoformat()},
        "table": "COST_AND_USAGE_REPORT",
        "tableConfigurations": {"INCLUDE_IAM_PRINCIPAL_DATA": "TRUE", "INCLUDE_RESOURCES": "TRUE"},
        "columns": list(SCHEMA),
        "dataFiles": [data],
    }
    return json.dumps(content, indent=2) + "\n"


def write(out: Path, period: Period, lines: Lines) -> None:
    """Writes the period's Parquet file and manifest below `out`, dated as delivered."""
    partition = f"BILLING_PERIOD={period.key}"
    data = Path(EXPORT_NAME, "data", partition, f"{EXPORT_NAME}-00001.snappy.parquet")
    manifest = Path(EXPORT_NAME, "metadata", partition, f"{EXPORT_NAME}-Manifest.json")
    for path in (out / data, out / manifest):
        path.parent.mkdir(parents=True, exist_ok=True)
    # Without Arrow's own schema the file holds plain text columns, as AWS's do.
    pq.write_table(table(period, lines), out / data, compression="snappy", store_schema=False)
    (out / manifest).write_text(_manifest(period, data.as_posix()), encoding="utf-8")
    moment = delivered(period).timestamp()
    for path in (out / data, out / manifest):
        os.utime(path, (moment, moment))
