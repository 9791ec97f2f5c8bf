"""A running Streamlit server, and what a browser says to it, without drawing anything."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed
from websockets.sync.client import ClientConnection, connect

from benchmarks.measure import KIB_PER_GIB

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
RUN_SECONDS = 300
"""The first view of a large store works out what its lines mean."""


@dataclass(frozen=True)
class Server:
    """A process that serves, and what Linux says of it."""

    place: str
    """`host:port`."""
    pid: int

    @property
    def peak_gib(self) -> float:
        """Most memory that it ever held."""
        said = Path(f"/proc/{self.pid}/status").read_text("utf-8")
        (kib,) = (line.split()[1] for line in said.splitlines() if line.startswith("VmHWM:"))
        return int(kib) / KIB_PER_GIB

    @property
    def cpu_seconds(self) -> float:
        """CPU time that it has used, of all cores."""
        # The second field is the command's name, which may hold spaces; user and system time are
        # the 14th and 15th.
        fields = Path(f"/proc/{self.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(script: Path, settings: Mapping[str, str]) -> Iterator[str]:
    """Serves a script on a port of its own; gives `host:port`."""
    with running(script, settings) as server:
        yield server.place


@contextmanager
def running(script: Path, settings: Mapping[str, str]) -> Iterator[Server]:
    """The same, for whoever looks at its process, too."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "streamlit", "run", script),
            *(f"--server.port={port}", "--logger.level=error"),
        ],
        cwd=ROOT,
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
    )
    try:
        _await_health(f"localhost:{port}")
        yield Server(f"localhost:{port}", process.pid)
    finally:
        process.terminate()
        process.wait()


@retry(
    retry=retry_if_exception_type((URLError, ConnectionError)),
    wait=wait_fixed(0.1),
    stop=stop_after_delay(START_SECONDS),
)
def _await_health(place: str) -> None:
    with urlopen(f"http://{place}/_stcore/health") as answer:
        assert answer.status == 200


class Tab:
    """One session; remembers its address, what its widgets offer and what was chosen in them."""

    def __init__(self, place: str, page: str) -> None:
        self._connection: ClientConnection = connect(
            f"ws://{place}/_stcore/stream", max_size=None, compression=None
        )
        self._page, self._page_hash, self._query = page, "", ""
        self._offered: dict[str, tuple[str, list[str]]] = {}
        self._chosen: dict[str, WidgetState] = {}
        self.shown: list[Element] = []
        """What the last run drew, in its order."""

    def go(self, page: str, query: str) -> None:
        """Follows a link to a page; takes effect with the next run.

        Args:
            page: its name in the address.
            query: what the address says behind the `?`.
        """
        self._page, self._page_hash, self._query = page, "", query
        self._chosen.clear()

    def options(self, label: str) -> list[str]:
        """What the select box or multiselect with this label offers; nothing if it isn't there."""
        return self._offered[label][1] if label in self._offered else []

    def choose(self, label: str, option: str) -> None:
        """Chooses in a select box; takes effect with the next run."""
        widget = self._offered[label][0]
        self._chosen[label] = WidgetState(id=widget, string_value=option)

    def choose_only(self, label: str, option: str) -> None:
        """Chooses one thing in a multiselect; takes effect with the next run."""
        state = WidgetState(id=self._offered[label][0])
        state.string_array_value.data.append(option)
        self._chosen[label] = state

    def run(self) -> float:
        """Runs the page; seconds until its last message is here."""
        asked = BackMsg()
        asked.rerun_script.page_name = self._page
        asked.rerun_script.page_script_hash = self._page_hash
        asked.rerun_script.query_string = self._query
        asked.rerun_script.widget_states.widgets.extend(self._chosen.values())
        start = time.perf_counter()
        self._connection.send(asked.SerializeToString())
        while not self._is_finished(self._received()):
            pass
        return time.perf_counter() - start

    def close(self) -> None:
        """Ends the session."""
        self._connection.close()

    def _received(self) -> ForwardMsg:
        data = self._connection.recv(timeout=RUN_SECONDS)
        assert isinstance(data, bytes)
        message = ForwardMsg()
        message.ParseFromString(data)
        return message

    def _is_finished(self, message: ForwardMsg) -> bool:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.shown = []
        if kind == "navigation":  # that of a new session is the entry script's
            self._page_hash = message.navigation.page_script_hash
        if kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        if kind == "delta":
            self._see(message)
        if kind != "script_finished":
            return False
        assert message.script_finished != ForwardMsg.FINISHED_WITH_COMPILE_ERROR
        return message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY

    def _see(self, message: ForwardMsg) -> None:
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        self.shown.append(element)
        assert kind != "exception", element.exception.message
        if kind in ("selectbox", "multiselect"):
            widget = getattr(element, kind)
            self._offered[widget.label] = (widget.id, list(widget.options))
