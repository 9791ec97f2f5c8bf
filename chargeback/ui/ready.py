"""What is slow to import or to open is made ready before the first viewer comes.

What the first page is made of is imported before the server is up: no viewer is given the half of
a module. The bill is opened, and asked, in the background: however large it is, the server is up,
and who comes meanwhile waits for the rest only.
"""

from __future__ import annotations

import inspect
import logging
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from threading import Lock, Thread

import duckdb

from chargeback import ui
from chargeback.errors import Problem

LOG = logging.getLogger(__name__)
FIRST = ("page_context", "problems", "paper", "header", "bridge")
"""What Overview is made of, and all that these import: the other pages take as long again."""
ALL = tuple(each.name for each in iter_modules(ui.__path__))
_IMPORTING = Lock()


def begin() -> Thread:
    """Imports the first page; gives the thread that makes all else ready."""
    _import(FIRST)
    # Streamlit asks for it before it draws for the first time, and Python then looks for the file
    # of every module, once: half of what the first page still took.
    inspect.stack()
    thread = Thread(target=_make_ready, name="make ready", daemon=True)
    thread.start()
    return thread


def import_for(page: str) -> None:
    """Imports what a page is made of; a page is known by its address, Overview by ''."""
    _import(FIRST if page == "" else ALL)


@cache
def _import(modules: tuple[str, ...]) -> None:
    """In one thread at a time: others would be given the half of a module."""
    with _IMPORTING:
        for module in modules:
            import_module(f"{ui.__name__}.{module}")


def _make_ready() -> None:
    # What it keeps for all viewers needs a server that runs: it is not there when this is imported.
    from chargeback.ui import page_context  # noqa: PLC0415

    try:
        page_context.make_ready()
    except (Problem, OSError, duckdb.Error) as error:
        LOG.info("Nothing could be made ready, which the pages will say: %s", error)
    _import(ALL)
