"""How Athena hands out the results of a query: objects in S3, and pages of rows."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from tests.athena.engine import Answer

UNLOAD_FILES = 3
"""UNLOAD writes from many workers: several files, in no order."""

Json = dict[str, Any]


def unloaded(answer: Answer, output: str, query_id: str) -> dict[str, bytes]:
    """The Parquet files, timestamps as INT96 like Athena's, and the manifest that lists them."""
    rows = answer.rows
    shares = [_share(rows, i) for i in range(UNLOAD_FILES)]
    files = {
        f"{answer.unload_to}{i:05}_{query_id}": _parquet(share)
        for i, share in reversed(list(enumerate(shares)))
        if len(share)
    }
    manifest = "".join(f"{location}\n" for location in files)
    return files | {f"{output}{query_id}-manifest.csv": manifest.encode()}


def _share(rows: pa.Table, worker: int) -> pa.Table:
    return rows.take(pa.array(range(worker, len(rows), UNLOAD_FILES), pa.int64()))


def _parquet(rows: pa.Table) -> bytes:
    file = io.BytesIO()
    parquet.write_table(
        rows, file, compression="snappy", store_schema=False, use_deprecated_int96_timestamps=True
    )
    return file.getvalue()


def listed(answer: Answer, output: str, query_id: str) -> dict[str, bytes]:
    """The result as CSV, and the metadata, which only Athena's drivers read."""
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows(texts(answer))
    place = f"{output}{query_id}.csv"
    return {place: file.getvalue().encode(), f"{place}.metadata": query_id.encode()}


def texts(answer: Answer) -> list[list[str | None]]:
    """The column names, then the rows as Athena writes them."""
    columns = [[_text(value) for value in column.to_pylist()] for column in answer.rows.columns]
    return [list(answer.rows.column_names), *map(list, zip(*columns, strict=True))]


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat(" ", "milliseconds")
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def row_of(values: list[str | None]) -> Json:
    """A row of GetQueryResults; NULL has no text."""
    return {"Data": [_datum(text) for text in values]}


def _datum(text: str | None) -> Json:
    return {} if text is None else {"VarCharValue": text}


def column_info(answer: Answer) -> list[Json]:
    """What GetQueryResults says of the columns."""
    return [
        {
            "CatalogName": "hive",
            "SchemaName": "",
            "TableName": "",
            "Name": field_.name,
            "Label": field_.name,
            "Type": type_.partition("(")[0],
            "Precision": getattr(field_.type, "precision", 0),
            "Scale": getattr(field_.type, "scale", 0),
            "Nullable": "UNKNOWN",
            "CaseSensitive": False,
        }
        for field_, type_ in zip(answer.rows.schema, answer.types, strict=True)
    ]
