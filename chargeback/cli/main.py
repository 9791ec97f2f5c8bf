"""python -m chargeback: runs a command, and says how it ended."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from chargeback.cli.parser import make_parser
from chargeback.cli.terminal import NotClean, shown
from chargeback.errors import Problem, UsageProblem, unforeseen

OK, FAILED, USAGE, NOT_CLEAN = 0, 1, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit status."""
    try:
        options = make_parser().parse_args(arguments)
        options.run(options)
    except NotClean:
        return NOT_CLEAN
    except UsageProblem as problem:
        return _complain(problem, USAGE)
    except Problem as problem:
        return _complain(problem, FAILED)
    except KeyboardInterrupt:
        return _complain(Problem("Stopped; what was read before still applies."), FAILED)
    except (OSError, _duckdb_error()) as error:
        return _complain(unforeseen(error), FAILED)
    return OK


def _duckdb_error() -> type[Exception]:
    """What DuckDB raises, if anything has imported it: it takes as long as all else here."""
    duckdb = sys.modules.get("duckdb")
    found: type[Exception] = duckdb.Error if duckdb else OSError
    return found


def _complain(problem: Problem, status: int) -> int:
    text = f"chargeback: {problem}"
    print(shown(text, sys.stderr.encoding or "utf-8"), file=sys.stderr)
    return status
