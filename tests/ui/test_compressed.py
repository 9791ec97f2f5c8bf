"""Scripts come compressed, to whoever can read them so; everything else comes as ever."""

from __future__ import annotations

import asyncio
import gzip
import http.client
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.types import Message, Receive, Scope, Send
from streamlit import file_util

from chargeback.ui.compressed import KINDS, Compressed, paths_of_static_files
from tests.ui.test_gate import SECONDS, Server, serving

STATIC = Path(file_util.get_static_dir())
PLOTLY = next(STATIC.rglob("PlotlyChart.*.js"))
PATH = f"/{PLOTLY.relative_to(STATIC).as_posix()}"
TEXT = b"x" * 10_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("home")) as running:
        yield running


def fetch(server: Server, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request("GET", path, headers=given)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def test_a_script_comes_compressed_when_asked_and_plain_when_not(server: Server) -> None:
    plain = PLOTLY.read_bytes()
    status, headers, body = fetch(server, PATH, Accept_Encoding="br, gzip")
    assert (status, headers["content-encoding"]) == (200, "gzip")
    assert gzip.decompress(body) == plain
    assert int(headers["content-length"]) == len(body) < len(plain) / 3
    as_ever = fetch(server, PATH)
    assert as_ever[0] == 200
    assert as_ever[2] == plain
    assert "content-encoding" not in as_ever[1]
    for same in ("content-type", "cache-control", "x-content-type-options"):
        assert headers[same] == as_ever[1][same]
    assert headers["vary"] == "Accept-Encoding"


def test_parts_and_unchanged_files_are_answered_as_ever(server: Server) -> None:
    status, _, part = fetch(server, PATH, Accept_Encoding="gzip", Range="bytes=10-19")
    assert (status, part) == (206, PLOTLY.read_bytes()[10:20])
    tag = fetch(server, PATH, Accept_Encoding="gzip")[1]["etag"]
    assert tag != fetch(server, PATH)[1]["etag"]
    assert fetch(server, PATH, Accept_Encoding="gzip", If_None_Match=tag)[0] == 304


class OneFile:
    """Answers with a file, and with a cookie of whoever asks; counts how often."""

    def __init__(self, status: int = 200) -> None:
        self.status, self.asked = status, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        headers = [(b"content-type", b"text/javascript"), (b"set-cookie", scope["headers"][0][1])]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        for part in (TEXT[:6_000], TEXT[6_000:]):
            await send({"type": "http.response.body", "body": part, "more_body": part is TEXT})


def ask(
    app: Compressed, path: str = "/a.js", who: bytes = b"", method: str = "GET"
) -> list[Message]:
    headers = [(b"x-who", who), (b"accept-encoding", b"gzip")]
    scope = {"type": "http", "method": method, "path": path, "headers": headers}
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    with ThreadPoolExecutor(1) as pool:  # in this one Playwright may have a loop of its own
        pool.submit(asyncio.run, app(scope, receive, send)).result()
    return sent


def encoding(sent: list[Message]) -> bytes | None:
    return dict(sent[0]["headers"]).get(b"content-encoding")


def test_a_file_is_compressed_once_and_nobody_is_given_anothers_cookie() -> None:
    file = OneFile()
    app = Compressed(file, ["/a.js"])
    answers = [ask(app, who=who) for who in (b"alice", b"bob")]
    assert file.asked == 1
    for start, body in answers:
        assert gzip.decompress(body["body"]) == TEXT
        assert b"set-cookie" not in dict(start["headers"])


def test_what_is_missing_or_not_a_file_of_ours_is_answered_anew_each_time() -> None:
    missing, there = OneFile(404), OneFile()
    for _ in range(2):
        assert ask(Compressed(missing, ["/a.js"]))[0]["status"] == 404
    app = Compressed(there, ["/a.js"])
    assert [encoding(ask(app, "/b.js")) for _ in range(2)] == [None, None]
    assert encoding(ask(app, method="HEAD")) is None
    assert encoding(ask(app)) == b"gzip"
    assert (missing.asked, there.asked) == (2, 4)


def test_all_scripts_and_styles_are_known_by_the_address_they_are_served_at() -> None:
    paths = paths_of_static_files(STATIC, "/bill")
    assert f"/bill{PATH}" in paths
    assert {Path(path).suffix for path in paths} == KINDS
