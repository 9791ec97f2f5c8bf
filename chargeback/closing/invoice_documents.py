"""The invoices of a month as AWS issued them, as far as AWS permits to have them."""

from __future__ import annotations

from collections.abc import Mapping

from chargeback.closing.statements import Statements
from chargeback.errors import SourceProblem
from chargeback.files.names import safe_file_name
from chargeback.reports.charges import invoice_totals
from chargeback.reports.view import View

FOLDER = "invoices/"


def invoice_documents(statements: Statements, month: str) -> tuple[Mapping[str, bytes], list[str]]:
    """The PDFs by the names that they get in a close, and what must be said of those that lack."""
    answers, view = statements.answers(month), View.of_month(month, statements.rows)
    named = {row["invoice_id"] for row in invoice_totals(answers, view).to_pylist()} - {""}
    found: dict[str, bytes] = {}
    lacking = []
    for invoice_id in sorted(named):
        try:
            content = statements.workspace.invoices.pdf(invoice_id)
        except SourceProblem as problem:  # whoever may not have one may have none
            return found, [f"Not all invoices' PDFs are part of the close: {problem.what}"]
        if content is None:
            lacking.append(invoice_id)
        else:
            found[f"{FOLDER}{safe_file_name(invoice_id)}.pdf"] = content
    return found, [f"AWS has no PDF of invoice {', '.join(lacking)}."] if lacking else []
