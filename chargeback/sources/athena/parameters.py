"""Parameters of a statement as Athena takes them: texts come apart from the SQL."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import reduce

from sqlglot import exp

from chargeback import query
from chargeback.errors import UsageProblem

PARAMETER_LENGTH = 1024
"""Characters in one execution parameter (Athena API Reference, StartQueryExecution)."""
QUERY_BYTES = 262_144
"""Size of a query (Athena User Guide, "Service Quotas"); what is put into it counts here too."""
ARRAY_ELEMENTS = 254
"""Elements of one ARRAY[…] that every Trino behind Athena engine 3 accepts (trinodb #16033)."""

Value = str | int | list[str] | tuple[str, ...] | None


def bind(statement: exp.Expr, values: Mapping[str, Value]) -> tuple[str, list[str]]:
    """Athena SQL with `?` and the execution parameters for it, in order.

    Texts and NULL become parameters, so none ever stands in the SQL. A list becomes an array of
    them, a text too long for one parameter a concatenation. Athena takes `?` in WHERE only (Athena
    User Guide, "Use parameterized queries"): elsewhere, whole numbers and NULL are put into the
    syntax tree as they are, and a text as the hexadecimal digits of its UTF-8.

    Raises:
        UsageProblem: it is more than one query holds.
    """
    literals: dict[str, str] = {}

    def put(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Placeholder):
            value, name = values[node.this], node.this
            return _placed(name, value, literals) if node.find_ancestor(exp.Where) else _put(value)
        return node

    tree = statement.transform(put)
    sql, names = query.positional(query.render(tree, "athena"))
    parameters = [literals[name] for name in names]
    if sum(len(text.encode()) for text in (sql, *parameters)) > QUERY_BYTES:
        raise UsageProblem(
            "This number stands for too many callers and usage types to list its single lines.",
            "Athena was not asked, so nothing was charged.",
            "Go one level deeper, for example to one principal or one model, and list them there.",
        )
    return sql, parameters


def literal(value: str | int | None) -> str:
    """A value as Athena reads an execution parameter: an expression, so texts come quoted."""
    return str(exp.convert(value).sql("athena"))


def fingerprint(*what: object) -> str:
    """Tells two questions apart that have the same text."""
    return hashlib.sha256(repr(what).encode()).hexdigest()[:16]


def _placed(name: str, value: Value, literals: dict[str, str]) -> exp.Expr:
    """What stands for a parameter in the statement; adds the literals that it needs."""
    if isinstance(value, int):
        return exp.Literal.number(value)
    if isinstance(value, list | tuple):
        return _array([_placed(f"{name}_{i}", item, literals) for i, item in enumerate(value)])
    if value and len(literal(value)) > PARAMETER_LENGTH:
        half = PARAMETER_LENGTH // 2 - 1  # fits even if every character is a quote, and doubled
        starts = range(0, len(value), half)
        return _joined([_placed(f"{name}_{i}", value[i : i + half], literals) for i in starts])
    literals[name] = literal(value)
    return exp.Placeholder(this=name)


def _put(value: Value) -> exp.Expr:
    """What stands for a parameter outside of WHERE."""
    if isinstance(value, str):
        digits = exp.Literal.string(value.encode().hex())
        return exp.func("from_utf8", exp.func("from_hex", digits))
    if isinstance(value, list | tuple):
        return _array([_put(item) for item in value])
    return exp.convert(value)


def _array(items: Sequence[exp.Expr]) -> exp.Expr:
    starts = range(0, max(len(items), 1), ARRAY_ELEMENTS)
    return _joined([exp.Array(expressions=items[i : i + ARRAY_ELEMENTS]) for i in starts])


def _joined(parts: Sequence[exp.Expr]) -> exp.Expr:
    return reduce(lambda left, right: exp.DPipe(this=left, expression=right), parts)
