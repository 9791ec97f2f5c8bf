"""Two readings of a month's lines compared: what differs, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

import duckdb
import pyarrow as pa

from chargeback import database, query
from chargeback.errors import SourceProblem
from chargeback.reports.answers import Answers
from chargeback.reports.view import View


def restatement_lines(
    answers: Answers, view: View, dimension: str, columns: Sequence[str]
) -> pa.RecordBatchReader:
    """The lines of a month and who pays for them: queries/reports/restatement_lines.sql."""
    return answers.stream(
        "restatement_lines", "daily", view, dimension=dimension, columns=list(columns)
    )


def changed_lines(
    closed: Answers, now: Answers, view: View, dimension: str, columns: Sequence[str]
) -> pa.Table:
    """What differs between two readings, and why: queries/restatement/changed_lines.sql.

    They may lie in two engines, and each be a month of millions of lines. So a database in a file
    of its own compares them: memory holds neither, and no line becomes an object.

    Raises:
        SourceProblem: a side can't be read, or there is no room for the file.
    """
    changed = query.duckdb_sql("restatement/changed_lines")
    with _room() as connection:
        for name, answers in (("closed_lines", closed), ("current_lines", now)):
            lines = restatement_lines(answers, view, dimension, columns)
            connection.from_arrow(lines).create(name)
        connection.sql(query.duckdb_sql("restatement/compared_lines")).create("compared")
        return connection.sql(changed, params={"columns": list(columns)}).to_arrow_table()


@contextmanager
def _room() -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        with TemporaryDirectory() as folder, database.connect(Path(folder) / "lines") as found:
            yield found
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise SourceProblem(
            f"There is no room to compare two bills of this size in {gettempdir()}.",
            "Nothing was compared; the figures themselves are not affected.",
            "Give this machine more memory or disk space, then try again.",
        ) from error
