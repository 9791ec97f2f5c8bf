"""What is slow to import or to open is made ready before the first viewer comes.

In the background, so that the server is up at once: who comes meanwhile waits for the rest only.
"""

from __future__ import annotations

import logging
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from threading import Lock, Thread

import duckdb

from chargeback import ui
from chargeback.errors import Problem

LOG = logging.getLogger(__name__)
_IMPORTING = Lock()


def in_background() -> None:
    """Begins to make ready; the server needs not wait for it."""
    Thread(target=_make_ready, name="make ready", daemon=True).start()


@cache
def import_pages() -> None:
    """Imports all that pages are made of, in one thread: others would be given halves of it."""
    with _IMPORTING:
        for each in iter_modules(ui.__path__):
            import_module(f"{ui.__name__}.{each.name}")


def _make_ready() -> None:
    import_pages()
    # What it keeps for all viewers needs a server that runs: it is not there when this is imported.
    from chargeback.ui import page_context  # noqa: PLC0415

    try:
        page_context.make_ready()
    except (Problem, OSError, duckdb.Error) as error:
        LOG.info("Nothing could be made ready, which the pages will say: %s", error)
