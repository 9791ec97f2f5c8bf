"""What is left of a statement once some of its parameters are known."""

from __future__ import annotations

import pytest
import sqlglot

from chargeback.query_known import settled

KNOWN = {"dimension": "team", "team": None, "days": None, "attributed": ""}


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ("SELECT a FROM t WHERE b = :b", "SELECT a FROM t WHERE b = :b"),
        (
            "SELECT a FROM t WHERE b = :b AND COALESCE(CONTAINS(CAST(:team AS ARRAY(VARCHAR)), c), "
            "TRUE)",
            "SELECT a FROM t WHERE b = :b",
        ),
        (
            "SELECT a FROM t WHERE (CAST(:days AS INTEGER) IS NULL OR (d < :days)) AND b = :b",
            "SELECT a FROM t WHERE b = :b",
        ),
        (
            "SELECT CASE WHEN :dimension = 'tenant' THEN tenant WHEN :dimension = 'team' THEN team "
            "END AS unit FROM t",
            "SELECT team AS unit FROM t",
        ),
        (
            "SELECT CASE WHEN :dimension = 'tenant' THEN tenant END AS unit FROM t",
            "SELECT CASE WHEN FALSE THEN tenant END AS unit FROM t",
        ),
        (
            "SELECT CASE WHEN :attributed = 'team' THEN team ELSE '' END AS home FROM t",
            "SELECT '' AS home FROM t",
        ),
        (
            "SELECT CASE WHEN a = 1 THEN b WHEN :dimension = 'team' THEN c ELSE d END FROM t",
            "SELECT CASE WHEN a = 1 THEN b ELSE c END FROM t",
        ),
        (
            "SELECT CASE WHEN :dimension = 'tenant' AND a = 1 THEN b ELSE c END FROM t",
            "SELECT c FROM t",
        ),
        ("SELECT COALESCE(a, :team, b) FROM t", "SELECT COALESCE(a, NULL, b) FROM t"),
        ("SELECT a IS NULL, 1 = 2 FROM t", "SELECT a IS NULL, 1 = 2 FROM t"),
    ],
)
def test_what_is_known_is_left_out(given: str, left: str) -> None:
    statement = sqlglot.parse_one(given, read="athena")
    assert settled(statement, KNOWN).sql("athena") == left
    assert statement.sql("athena") == sqlglot.parse_one(given, read="athena").sql("athena")
