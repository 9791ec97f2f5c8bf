"""A real Trino of one node over Parquet files, asked as the product asks Athena."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import SplitResult, urlsplit

import pyarrow as pa
from pyarrow import parquet
from sqlglot import exp
from trino.dbapi import Connection

from chargeback.sources.athena.parameters import bind

HERE = Path(__file__).resolve().parent
STOP_SECONDS = 30
STARTS_WITHIN = 900
"""Seconds; where Maven has no jars of it yet, it fetches them first."""
ADDED_TO_JAVA = ("-Xmx2g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Duser.timezone=UTC")
"""A small heap, and compiled quickly rather than well: each statement runs once."""


@dataclass(frozen=True)
class Answer:
    """What an engine said to a statement."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


class Trino:
    """The engine and its one schema; tables are made over files below `folder`."""

    def __init__(self, connection: Connection, folder: Path) -> None:
        self._connection, self.folder = connection, folder
        self.run("CREATE SCHEMA bill")

    def ask(self, statement: exp.Expr, values: Mapping[str, Any]) -> Answer:
        """Runs a statement with its parameters bound as they are for Athena."""
        sql, literals = bind(statement, values)
        if not literals:
            return self.run(sql)
        return self.run(f"EXECUTE IMMEDIATE {_quoted(sql)} USING {', '.join(literals)}")

    def run(self, sql: str) -> Answer:
        with closing(self._connection.cursor()) as cursor:
            rows = cursor.execute(sql).fetchall()
            return Answer([c[0] for c in cursor.description or []], [tuple(row) for row in rows])

    def add_files(self, table: str, files: Iterable[Path]) -> None:
        """A table over copies of Parquet files of one schema."""
        target = self.folder / table
        target.mkdir()
        for number, file in enumerate(files):
            shutil.copy(file, target / f"{number}.parquet")
        schema = parquet.read_schema(target / "0.parquet")
        self.add_table(table, target, schema)

    def add_rows(self, table: str, rows: pa.Table) -> None:
        """A table that holds `rows`."""
        target = self.folder / table
        target.mkdir()
        parquet.write_table(rows, target / "rows.parquet", store_schema=False)
        self.add_table(table, target, rows.schema)

    def add_table(
        self, table: str, files: Path, schema: pa.Schema, keys: Sequence[str] = ()
    ) -> None:
        """A table over a folder of Parquet files, or over one such folder per partition."""
        columns = [f"{f.name} {_type(f.type)}" for f in schema if f.name not in keys]
        location = f"local:///{files.relative_to(self.folder).as_posix()}"
        options = f"external_location = {_quoted(location)}, format = 'PARQUET'"
        if keys:
            columns += [f"{key} varchar" for key in keys]
            options += f", partitioned_by = ARRAY[{', '.join(map(_quoted, keys))}]"
        self.run(f"CREATE TABLE {table} ({', '.join(columns)}) WITH ({options})")
        if keys:
            # AWS writes the key in capitals on disk, Athena's tables have it in small letters.
            self.run(f"CALL system.sync_partition_metadata('bill', {_quoted(table)}, 'ADD', false)")


@contextmanager
def running(folder: Path) -> Iterator[Trino]:
    """A Trino over `folder`; downloads its jars into Maven's repository if they aren't there."""
    (folder / "metastore").mkdir(parents=True)
    with TemporaryDirectory() as scratch, _started(folder, Path(scratch)) as address:
        host = str(address.hostname)
        with closing(
            Connection(host, port=address.port, user="test", catalog="hive", schema="bill")
        ) as connection:
            yield Trino(connection, folder)


@contextmanager
def _started(folder: Path, scratch: Path) -> Iterator[SplitResult]:
    """Where the engine answers."""
    java = ["java", *ADDED_TO_JAVA, "-cp", _class_path(scratch), str(HERE / "Engine.java")]
    log = scratch / "trino.log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            [*java, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            address = urlsplit(process.stdout.readline().strip() if process.stdout else "")
            assert address.port, f"Trino did not start:\n{log.read_text()[-4000:]}"
            yield address
        finally:
            if process.stdin:
                process.stdin.close()
            process.wait(STOP_SECONDS)


def _class_path(scratch: Path) -> str:
    """The engine's jars and the connector's, which come in a zip that is unpacked in `scratch`."""
    found = scratch / "class-path"
    maven = ["mvn", "--quiet", "--batch-mode", "--no-transfer-progress"]
    goal = ["dependency:build-classpath", f"-Dmdep.outputFile={found}"]
    subprocess.run([*maven, "--file", str(HERE / "pom.xml"), *goal], check=True)
    jars = [Path(jar) for jar in found.read_text().strip().split(":")]
    (connector,) = (jar for jar in jars if jar.suffix == ".zip")
    with zipfile.ZipFile(connector) as archive:
        archive.extractall(scratch)
    jars[jars.index(connector)] = scratch / connector.stem / "*"
    return ":".join(map(str, jars))


def _type(kind: pa.DataType) -> str:
    """The type that Hive reads a Parquet column of this Arrow type as."""
    if pa.types.is_map(kind):
        return f"map({_type(kind.key_type)}, {_type(kind.item_type)})"
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision}, {kind.scale})"
    if pa.types.is_timestamp(kind):
        return "timestamp"
    return _PLAIN_TYPES[kind]


_PLAIN_TYPES = {
    pa.string(): "varchar",
    pa.bool_(): "boolean",
    pa.int64(): "bigint",
    pa.float64(): "double",
    pa.date32(): "date",
}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
