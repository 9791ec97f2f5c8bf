"""All that this product promises of speed and memory, measured again: one table.

    python -m benchmarks --folder DIR

It takes an hour on two cores, with nothing else to do. `--only` measures some parts of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import (
    command,
    exporting,
    first_page,
    largest,
    pages,
    reading,
    sessions,
    viewers,
)
from benchmarks.measure import Row, arguments, scratch, show_rows

PARTS: dict[str, Callable[[Path], Iterator[Row]]] = {
    "command": command.rows,
    "exporting": exporting.rows,
    "first_page": first_page.rows,
    "pages": pages.rows,
    "viewers": viewers.rows,
    "reading": reading.rows,
    "largest": largest.rows,
    "sessions": sessions.rows,
}


def main() -> None:
    """Prints each line when it is known, and the table at the end."""
    parser = arguments(__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    asked = parser.parse_args()
    found = []
    with scratch(asked.folder) as folder:
        for part in asked.only:
            for row in PARTS[part](folder):
                found.append(row)
                print(row.what, row.took, row.baseline, row.ratio, row.aim, sep=" | ", flush=True)
    show_rows("What is promised", found)


if __name__ == "__main__":
    main()
