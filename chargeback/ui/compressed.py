"""Scripts and styles, sent compressed: Streamlit itself leaves that to a proxy."""

from __future__ import annotations

import gzip
from asyncio import to_thread
from collections.abc import Collection
from http import HTTPStatus
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LEVEL = 6
"""The best takes a third more time and saves a three-hundredth."""
KINDS = frozenset({".js", ".css"})
PARTIAL = ("range", "if-none-match", "if-modified-since")
"""What asks for a part of a file, or only for one that has changed, is answered as ever."""
OF_THE_FILE = ("content-type", "cache-control", "last-modified", "etag")
"""Headers that are the same for all: a cookie is of whoever asked."""


class Compressed:
    """Compresses each file for the first who asks for it, and keeps it: files never change.

    All of them together are 7 MB.
    """

    def __init__(self, app: ASGIApp, paths: Collection[str]) -> None:
        self.app, self.paths = app, frozenset(paths)
        self._kept: dict[str, list[Message]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on, but for a whole file that is there, for a browser that takes it compressed."""
        if not self._is_compressed(scope):
            await self.app(scope, receive, send)
            return
        messages = self._kept.get(scope["path"]) or await self._answer(scope, receive)
        for message in messages:
            await send({**message})  # what stands outside adds headers to it

    def _is_compressed(self, scope: Scope) -> bool:
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] not in self.paths:
            return False
        headers = Headers(scope=scope)
        takes_it = "gzip" in headers.get("accept-encoding", "")
        return takes_it and not any(name in headers for name in PARTIAL)

    async def _answer(self, scope: Scope, receive: Receive) -> list[Message]:
        messages: list[Message] = []

        async def collect(message: Message) -> None:
            messages.append(message)

        await self.app(scope, receive, collect)
        start, *parts = messages
        if start["status"] != HTTPStatus.OK:
            return messages
        body = b"".join(part.get("body", b"") for part in parts)
        small = await to_thread(gzip.compress, body, LEVEL, mtime=0)
        headers = _headers(Headers(raw=start["headers"]), len(small))
        self._kept[scope["path"]] = [
            {"type": "http.response.start", "status": HTTPStatus.OK, "headers": headers.raw},
            {"type": "http.response.body", "body": small},
        ]
        return self._kept[scope["path"]]


def paths_of_static_files(folder: Path, base: str) -> list[str]:
    """Where the scripts and styles below a folder are served."""
    files = (file.relative_to(folder) for file in folder.rglob("*") if file.suffix in KINDS)
    return [f"{base}/{file.as_posix()}" for file in files]


def _headers(plain: Headers, length: int) -> MutableHeaders:
    headers = MutableHeaders({name: plain[name] for name in OF_THE_FILE if name in plain})
    if "etag" in headers:  # it means the same, but is not to the byte what the plain file is
        headers["etag"] = f"W/{headers['etag']}"
    headers["content-encoding"] = "gzip"
    headers["content-length"] = str(length)
    headers["vary"] = "Accept-Encoding"
    return headers
