"""Fetches a document from an address that is good for anybody who knows it, for a while."""

from __future__ import annotations

import logging

import httpx

from chargeback.errors import SourceProblem

MOST_BYTES = 10 * 2**20
"""An invoice has some hundred kilobytes; what is far larger is none."""
TIMEOUT = httpx.Timeout(60, connect=10)
PDF = b"%PDF-"
MEANS = "No figure is affected; the invoice's document is missing."
TODO = "Try again later, or download the invoice from the Billing console."

logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log the address


def fetch_pdf(url: str, plain: str | None = None) -> bytes:
    """What lies at an address.

    Args:
        url: pre-signed: whoever has it can read the document, so nothing says it.
        plain: where TLS is not asked for, and no proxy: the demo's own service.

    Raises:
        SourceProblem: it can't be fetched, or is no PDF of at most 10 MB.
    """
    is_plain = plain is not None and url.startswith(f"{plain}/")
    if not (is_plain or url.startswith("https://")):
        raise _problem("The address of an invoice's document is not an https address.")
    try:
        with httpx.Client(timeout=TIMEOUT, trust_env=not is_plain) as client:
            content = _read(client, url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _problem("An invoice's document can't be fetched.") from error
    if not content.startswith(PDF):
        raise _problem("What AWS gives as an invoice's document is no PDF.")
    return content


def _read(client: httpx.Client, url: str) -> bytes:
    content = bytearray()
    with client.stream("GET", url) as answer:
        if answer.status_code != httpx.codes.OK:
            raise _problem(f"An invoice's document can't be fetched (HTTP {answer.status_code}).")
        for part in answer.iter_bytes():
            content += part
            if len(content) > MOST_BYTES:
                raise _problem("An invoice's document has more than 10 MB.")
    return bytes(content)


def _problem(what: str) -> SourceProblem:
    return SourceProblem(what, MEANS, TODO)
