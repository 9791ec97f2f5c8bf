"""Statements with what is known of their parameters put in, which are shorter to parse and to plan.

Planning takes longer than adding up some thousand rows, and most of a statement's text is about
filters that nobody set and dimensions that nobody asked for. sqlglot's own simplification takes
five times as long, leaves the filters, and lets a CASE forget of which type it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import exp


def settled(statement: exp.Expr, known: Mapping[str, str | None]) -> exp.Expr:
    """The same statement where some parameters have the only values that it will be given.

    Conditions and cases that these decide are left out. Columns keep their types.

    Args:
        statement: a tree from query.load, which stays as it is.
        known: parameters that are NULL, or texts of which the program has a fixed list.
    """

    def put_in(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Placeholder) and node.this in known:
            value = known[node.this]
            return exp.null() if value is None else exp.Literal.string(value)
        return node

    return _decided(statement.transform(put_in))


def _decided(node: exp.Expr) -> exp.Expr:
    """The node, or what it always comes to; from the leaves up."""
    for name, inner in list(node.args.items()):
        if isinstance(inner, exp.Expr):
            node.set(name, _decided(inner))
        elif isinstance(inner, list):
            node.set(name, [_decided(e) if isinstance(e, exp.Expr) else e for e in inner])
    decide = _DECIDE.get(type(node))
    return decide(node) if decide else node


def _paren(node: exp.Expr) -> exp.Expr:
    inner = node.this
    return inner if isinstance(inner, exp.Boolean) else node


def _equal(node: exp.Expr) -> exp.Expr:
    left, right = node.this, node.expression
    if _is_text(left) and _is_text(right):
        return exp.Boolean(this=left.this == right.this)
    return node


def _is_null(node: exp.Expr) -> exp.Expr:
    if isinstance(node.expression, exp.Null) and _is_nothing(node.this):
        return exp.true()
    return node


def _coalesce(node: exp.Expr) -> exp.Expr:
    """Of a list that is NULL: whether it contains a value is NULL, too."""
    first = node.this
    is_nothing = _is_nothing(first.this if isinstance(first, exp.ArrayContains) else first)
    fallback: exp.Expr = node.expressions[0]
    return fallback if is_nothing and len(node.expressions) == 1 else node


def _and(node: exp.Expr) -> exp.Expr:
    return _joined(node, decides=False)


def _or(node: exp.Expr) -> exp.Expr:
    return _joined(node, decides=True)


def _joined(node: exp.Expr, *, decides: bool) -> exp.Expr:
    for side, other in ((node.this, node.expression), (node.expression, node.this)):
        if isinstance(side, exp.Boolean):
            return side if side.this is decides else other
    return node


def _case(node: exp.Expr) -> exp.Expr:
    """Without the branches that are never taken, but for the one that says of which type it is."""
    branches: list[exp.Expr] = []
    default: exp.Expr | None = node.args.get("default")
    for branch in node.args["ifs"]:
        if not isinstance(branch.this, exp.Boolean):
            branches.append(branch)
        elif branch.this.this:
            default = branch.args["true"]
            break
    if not branches and default is not None:
        return default
    node.set("ifs", branches or node.args["ifs"][:1])
    node.set("default", default)
    return node


def _is_text(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and node.is_string


def _is_nothing(node: exp.Expr) -> bool:
    return isinstance(node.this if isinstance(node, exp.Cast) else node, exp.Null)


_DECIDE: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
    exp.Paren: _paren,
    exp.EQ: _equal,
    exp.Is: _is_null,
    exp.Coalesce: _coalesce,
    exp.And: _and,
    exp.Or: _or,
    exp.Case: _case,
}
