"""A small HTTP service that answers as Cost Explorer and the Invoicing API do, from a CUR bill.

It speaks boto3's wire format (AWS JSON: the operation in a header, errors by their code), so that
demo mode runs the code that real accounts run; so does its STS, which knows one account (a form in,
XML out). Answers come in pages with tokens; a token is good for the question that it was given for.
As with AWS, the open month's data ends some hours before the bill's, and 13 months before the open
one can be asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

from chargeback.demo.billing_bill import BillingBill, Refused
from chargeback.demo.billing_invoices import DOCUMENTS, document, invoice_pdf, invoice_summaries

Json = dict[str, Any]
Operation = Callable[[BillingBill, Json], Json]

OPERATIONS: Mapping[str, Operation] = {
    "AWSInsightsIndexService.GetCostAndUsage": BillingBill.cost_and_usage,
    "AWSInsightsIndexService.GetDimensionValues": BillingBill.dimension_values,
    "AWSInsightsIndexService.GetCostForecast": BillingBill.cost_forecast,
    "AWSInsightsIndexService.GetTags": BillingBill.tags,
    "AWSInsightsIndexService.ListCostAllocationTags": BillingBill.cost_allocation_tags,
    "Invoicing.ListInvoiceSummaries": invoice_summaries,
    "Invoicing.GetInvoicePDF": invoice_pdf,
    "STS.GetCallerIdentity": BillingBill.caller_identity,
}
"""By the header `X-Amz-Target`; a form's `Action` is one of STS."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a service writes what it answers."""

    content_type: str
    answer: Callable[[str, Json], str]
    """Of an operation and its answer."""
    error: Callable[[Refused], str]


def _xml(tree: Json) -> str:
    return "".join(
        f"<{name}>{_xml(value) if isinstance(value, dict) else escape(value)}</{name}>"
        for name, value in tree.items()
    )


JSON = Form(
    "application/x-amz-json-1.1",
    lambda _, answer: json.dumps(answer),
    lambda refused: json.dumps({"__type": refused.code, "message": str(refused)}),
)
XML = Form(
    "text/xml",
    lambda name, answer: _xml({f"{name}Response": {f"{name}Result": answer}}),
    lambda refused: _xml(
        {"ErrorResponse": {"Error": {"Code": refused.code, "Message": str(refused)}}}
    ),
)


class BillingApi:
    """The service on a free port of 127.0.0.1; a context manager, or `start` and `close`.

    Args:
        cur: folder of the CUR 2.0 export that it answers from.
        page_size: rows in one page of an answer.
    """

    def __init__(self, cur: Path, page_size: int = 500) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._bill = BillingBill(cur, page_size, self.url)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Where boto3 finds it."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> Self:
        """Answers from now on, until the process ends or `close`."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stops answering."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.close()

    def answer(self, target: str, request: Json) -> Json:
        """What AWS answers. Raises Refused with AWS's code where it refuses."""
        if target not in OPERATIONS:
            raise Refused("UnknownOperationException", target)
        return OPERATIONS[target](self._bill, request)

    def document(self, path: str) -> bytes:
        """An invoice by its address. Raises Refused if there is none."""
        name = unquote(path).removeprefix(DOCUMENTS).removesuffix(".pdf")
        return document(self._bill, name)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                if target := self.headers.get("X-Amz-Target"):
                    self._answer(target, json.loads(body), JSON)
                else:
                    action = "".join(parse_qs(body).get("Action", []))
                    self._answer(f"STS.{action}", {}, XML)

            def do_GET(self) -> None:
                try:
                    self._send(200, api.document(self.path), "application/pdf")
                except Refused as refused:
                    self._send(404, str(refused).encode(), "text/plain")

            def _answer(self, target: str, request: Json, form: Form) -> None:
                try:
                    answer = api.answer(target, request)
                    text = form.answer(target.partition(".")[2], answer)
                    self._send(200, text.encode(), form.content_type)
                except Refused as refused:
                    self._send(400, form.error(refused).encode(), form.content_type)

            def _send(self, status: int, body: bytes, content_type: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """The product's log is not a web server's."""

        return Handler
