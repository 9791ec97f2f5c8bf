"""A running server: whom it answers, under which name, and what it says to others."""

from __future__ import annotations

import base64
import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from chargeback.ui.gate import CLOSED_PAGE, HEADERS, OWNER

ROOT = Path(__file__).resolve().parents[2]
START = (sys.executable, "-m", "streamlit", "run", "app.py")
SECONDS = 30
HEALTH = "/_stcore/health"
METRICS = "/_stcore/metrics"
STREAM = "/_stcore/stream"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(),
}
ELSEWHERE = {"X-Forwarded-For": "203.0.113.7"}
"""What a proxy on this machine says of whom it asks for."""
USABLE = """
[auth]
redirect_uri = "https://finance.example.com/oauth2callback"
cookie_secret = "for this test only, and long enough"
client_id = "chargeback"
client_secret = "for this test only"
server_metadata_url = "http://localhost:1/.well-known/openid-configuration"
"""


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: dict[str, str]
    text: str


@dataclass(frozen=True)
class Server:
    """A server on a port of its own, and what it logs."""

    port: int
    log: Path
    process: subprocess.Popen[bytes]

    def ask(self, path: str = "/", address: str = "127.0.0.1", **headers: str) -> Answer:
        """One request; `Host` and other headers as given, '_' for '-'."""
        connection = http.client.HTTPConnection(address, self.port, timeout=SECONDS)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request("GET", path, headers=given)
            answer = connection.getresponse()
            # A WebSocket that was let in has no end.
            text = "" if answer.status == 101 else answer.read().decode()
        finally:
            connection.close()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, text)

    def connect(self, **headers: str) -> int:
        """What the server says to a WebSocket."""
        return self.ask(STREAM, **{**UPGRADE, **headers}).status

    @property
    def said(self) -> str:
        return self.log.read_text()


Serve = Callable[..., Server]


@contextmanager
def serving(folder: Path, *arguments: str, **environment: str) -> Iterator[Server]:
    """`streamlit run app.py`, with the secrets of this folder's home and no others."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    ours = {name: text for name, text in os.environ.items() if "CHARGEBACK" not in name}
    ours |= {"HOME": str(folder), "STREAMLIT_BROWSER_SERVER_ADDRESS": "localhost"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*START, f"--server.port={port}", *arguments],
            cwd=ROOT,
            env=ours | {"CHARGEBACK_STORE": str(folder / "store")} | environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    server = Server(port, folder / "log", process)
    try:
        _await_health(server)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(SECONDS)
    assert "Traceback" not in server.said, server.said


@retry(
    retry=retry_if_exception_type((ConnectionError, AssertionError)),
    wait=wait_fixed(0.05),
    stop=stop_after_delay(SECONDS),
    reraise=True,
)
def _await_health(server: Server) -> None:
    assert server.process.poll() is None, server.said
    assert server.ask(HEALTH).status == 200


def secrets(folder: Path) -> Path:
    """Where the server looks for its secrets."""
    (folder / ".streamlit").mkdir()
    return folder / ".streamlit" / "secrets.toml"


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Starts servers that live as long as this module's tests."""
    with ExitStack() as running:

        def start(*arguments: str, text: str = "", **environment: str) -> Server:
            folder = tmp_path_factory.mktemp("home")
            if text:
                secrets(folder).write_text(text)
            return running.enter_context(serving(folder, *arguments, **environment))

        yield start


@pytest.fixture(scope="module")
def plain(serve: Serve) -> Server:
    """As `streamlit run app.py` starts it."""
    return serve(CHARGEBACK_HOSTS='["finance.example.com"]')


@pytest.fixture(scope="module")
def everywhere(serve: Serve) -> Server:
    """On all addresses, open to all."""
    return serve("--server.address=0.0.0.0", CHARGEBACK_OPEN_TO_ALL="true")


@pytest.fixture(scope="module")
def own_address() -> str:
    """An address of this machine that others could reach."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing: only the way there is looked up
        address: str = probe.getsockname()[0]
    assert not address.startswith("127.")
    return address


def test_it_listens_on_this_machine_only(plain: Server, own_address: str) -> None:
    assert plain.ask().status == 200
    with pytest.raises(ConnectionRefusedError):
        plain.ask(address=own_address)
    assert "Only this machine may look" in plain.said


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8501", "127.0.0.1", "[::1]:8501", "finance.example.com"]
)
def test_its_own_names_are_served(plain: Server, host: str) -> None:
    assert plain.ask(Host=host).status == 200
    assert plain.connect(Host=host, Origin=f"http://{host}") == 101


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "10.0.0.5", "www.finance.example.com", "a@b"]
)
def test_a_foreign_name_is_refused(plain: Server, host: str) -> None:
    for path in ("/", "/tenants", METRICS, "/_stcore/host-config", "/media/a.csv"):
        assert plain.ask(path, Host=host).status == 400
    assert plain.connect(Host=host, Origin=f"http://{host}") == 400
    assert f"{host!r} was refused" in plain.said
    assert "add its name to hosts (CHARGEBACK_HOSTS)" in plain.said


def test_health_answers_whatever_the_name_and_says_nothing_else(plain: Server) -> None:
    for headers in ({"Host": "evil.example"}, ELSEWHERE, {}):
        answer = plain.ask(HEALTH, **headers)
        assert (answer.status, answer.text) == (200, "ok")


def test_a_proxy_on_this_machine_does_not_open_it(plain: Server) -> None:
    for headers in (ELSEWHERE, {"Forwarded": "for=203.0.113.7"}, {"X-Real-IP": "203.0.113.7"}):
        answer = plain.ask(**headers)
        assert (answer.status, answer.text) == (403, CLOSED_PAGE)
        assert plain.connect(**headers) == 403
    assert "not at this machine was refused" in plain.said
    assert "CHARGEBACK_OPEN_TO_ALL" in plain.said


def test_statistics_are_for_this_machine(
    plain: Server, everywhere: Server, own_address: str
) -> None:
    assert plain.ask(METRICS).status == 200
    for path in (METRICS, f"{METRICS}/", "/_stcore/%6Detrics?families=a"):
        assert plain.ask(path, **ELSEWHERE).status == 403
        assert everywhere.ask(path, own_address).status == 403


def test_no_answer_can_be_framed_or_guessed_at(plain: Server) -> None:
    answers = [
        plain.ask(),
        plain.ask("/tenants"),
        plain.ask("/media/none.csv"),
        plain.ask(HEALTH),
        plain.ask(Host="evil.example"),
        plain.ask(**ELSEWHERE),
        plain.ask(STREAM, **UPGRADE, Host="evil.example"),
    ]
    wanted = {name.lower(): value for name, value in HEADERS.items()}
    assert "frame-ancestors 'self'" in wanted["content-security-policy"]
    for answer in answers:
        assert {name: answer.headers.get(name) for name in wanted} == wanted


def test_open_to_all_serves_all_and_says_so(everywhere: Server, own_address: str) -> None:
    assert everywhere.ask(address=own_address).status == 200
    assert everywhere.ask(address=own_address, **ELSEWHERE).status == 200
    assert everywhere.ask(address=own_address, Host="evil.example").status == 400
    assert "Whoever reaches this server sees the bill: open_to_all" in everywhere.said


@pytest.fixture(scope="module")
def signing_in(serve: Serve) -> Server:
    """With sign-in, reached through a proxy."""
    return serve("--server.address=0.0.0.0", text=USABLE)


def test_with_sign_in_others_reach_the_button(signing_in: Server, own_address: str) -> None:
    assert signing_in.ask(address=own_address, **ELSEWHERE).status == 200
    assert "Whoever signed in may look" in signing_in.said


def test_an_address_to_come_back_to_that_is_not_served_is_told(signing_in: Server) -> None:
    assert "comes back to finance.example.com, which is not served" in signing_in.said
    assert "hosts (CHARGEBACK_HOSTS)" in signing_in.said


def closed_to(server: Server, address: str) -> None:
    """Nobody is let in, and everybody is told the same."""
    for path in ("/", "/tenants", "/setup", "/oauth2callback"):
        answer = server.ask(path, address)
        assert (answer.status, answer.text) == (403, CLOSED_PAGE)
        assert answer.headers["content-security-policy"] == "frame-ancestors 'self'"
    assert server.ask(STREAM, address, **UPGRADE).status == 403
    assert server.ask(METRICS, address).status == 403
    assert (server.ask(HEALTH, address).text, OWNER in CLOSED_PAGE) == ("ok", True)


def test_on_all_addresses_with_neither_nobody_is_let_in(serve: Serve, own_address: str) -> None:
    server = serve("--server.address=0.0.0.0")
    for address in ("127.0.0.1", own_address):
        closed_to(server, address)
    for setting in ("[auth] in .streamlit/secrets.toml", "open_to_all = true", "--server.address"):
        assert setting in server.said


BROKEN: dict[str, Callable[[Path], object]] = {
    "directory": lambda file: file.mkdir(),
    "link to nothing": lambda file: file.symlink_to("nowhere"),
    "not UTF-8": lambda file: file.write_bytes(b"\xff\xfe[\0a\0"),
    "broken TOML": lambda file: file.write_text("[auth"),
    "commented out": lambda file: file.write_text(USABLE.replace("\n", "\n# ")),
    "empty cookie_secret": lambda file: file.write_text(
        USABLE.replace("for this test only, and long enough", "")
    ),
}
"""What was seen in place of a secrets file; tests/test_secrets_file.py has the rest."""


@pytest.mark.parametrize("fault", BROKEN)
def test_a_secrets_file_that_cannot_be_used_lets_nobody_in(fault: str, tmp_path: Path) -> None:
    BROKEN[fault](secrets(tmp_path))
    with serving(tmp_path) as server:
        closed_to(server, "127.0.0.1")
    assert "sign-in can't be used: " in server.said
    assert "Complete [auth] in .streamlit/secrets.toml, or set open_to_all" in server.said
    assert "for this test only" not in server.said


def test_open_to_all_overrides_a_secrets_file_that_cannot_be_read(tmp_path: Path) -> None:
    secrets(tmp_path).mkdir()
    with serving(tmp_path, CHARGEBACK_OPEN_TO_ALL="true") as server:
        assert server.ask().status == 200
        assert server.connect(Origin="http://127.0.0.1") == 101


def test_settings_that_are_not_allowed_open_nothing(tmp_path: Path) -> None:
    wrong = {"CHARGEBACK_OPEN_TO_ALL": "true", "CHARGEBACK_COST_BASIS": "gross"}
    with serving(tmp_path, "--server.address=0.0.0.0", **wrong) as server:
        closed_to(server, "127.0.0.1")
    assert "CHARGEBACK_COST_BASIS" in server.said
