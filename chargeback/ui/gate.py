"""What stands before the pages: whom the server answers at all, and what it says to others.

Plain ASGI, so that pages' WebSockets go through it as well as HTTP.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chargeback.access.look import Look, is_this_machine

HEALTH = "/_stcore/health"
METRICS = "/_stcore/metrics"
LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")
"""What a proxy adds: the request is somebody else's, wherever the proxy itself runs."""
OWNER = "The owner of this dashboard has to finish sign-in."
"""All that a viewer is told who may not look."""
CLOSED_PAGE = f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Bedrock chargeback</title>
<h1>Bedrock chargeback</h1><p>{OWNER}</p></html>
"""
HEADERS = {
    # Nobody else's page may show the dashboard within itself and have it clicked on.
    "Content-Security-Policy": "frame-ancestors 'self'",
    "X-Frame-Options": "SAMEORIGIN",
    "X-Content-Type-Options": "nosniff",
    # Addresses name months, teams and tenants: no other site is to learn them.
    "Referrer-Policy": "same-origin",
}
SAID_AGAIN = 60
"""Seconds until the same refusal is logged again: who is refused must not fill the disk."""
REMEMBERED = 1000
LONGEST_NAME = 100


@dataclass
class RefusalLog:
    """Tells the owner what was refused and which setting mends it."""

    write: Callable[[str], None]
    _said: dict[str, float] = field(default_factory=dict)

    def say(self, text: str) -> None:
        """Writes a refusal into the log, the same one once a minute."""
        now = time.monotonic()
        if now < self._said.get(text, -SAID_AGAIN) + SAID_AGAIN:
            return
        if len(self._said) >= REMEMBERED:
            self._said.clear()
        self._said[text] = now
        self.write(text)


class SafeAnswers:
    """Adds to every HTTP answer what browsers need to keep other sites out."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on, with the headers added."""

        async def send_safely(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        await self.app(scope, receive, send_safely)


class KnownHosts:
    """Answers only under the server's own names: a foreign one may be a rebound DNS name."""

    def __init__(self, app: ASGIApp, names: Sequence[str], log: RefusalLog, health: str) -> None:
        self.app, self.log, self.health = app, log, health
        self.names = [*LOCAL_NAMES, *names]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what asks for a name of ours, and whoever asks after our health."""
        if scope["type"] == "lifespan" or scope["path"] == self.health:
            await self.app(scope, receive, send)
            return
        passed = False

        async def pass_on(scope: Scope, receive: Receive, send: Send) -> None:
            nonlocal passed
            passed = True
            await self.app(scope, receive, send)

        names = [*self.names, *_listened_on(scope)]
        await TrustedHostMiddleware(pass_on, names, www_redirect=False)(scope, receive, send)
        if not passed:
            self.log.say(_unknown_host(scope))


@dataclass(frozen=True)
class Viewers:
    """Answers those who may look: everybody, or this machine; statistics only this machine."""

    app: ASGIApp
    look: Look
    log: RefusalLog
    to_open: str
    health: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what whoever asks may see."""
        if scope["type"] == "lifespan" or scope["path"] == self.health or is_from_here(scope):
            await self.app(scope, receive, send)
        elif METRICS in scope["path"]:
            await PlainTextResponse("Forbidden", status_code=403)(scope, receive, send)
        elif self.look == "this machine":
            self.log.say(f"Somebody who is not at this machine was refused: {self.to_open}.")
            await closed_page()(scope, receive, send)
        else:
            await self.app(scope, receive, send)


@dataclass(frozen=True)
class Closed:
    """In place of the pages where nobody may look: not a line of theirs runs."""

    log: RefusalLog
    to_open: str
    health: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Says that the owner has to finish sign-in."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["path"] == self.health:
            await PlainTextResponse("ok")(scope, receive, send)
        else:
            self.log.say(f"Nobody may look at the bill: {self.to_open}.")
            await closed_page()(scope, receive, send)


def closed_page() -> Response:
    """What those see who may not look."""
    return HTMLResponse(CLOSED_PAGE, status_code=403, headers={"Cache-Control": "no-store"})


def is_from_here(scope: Scope) -> bool:
    """Whether a request comes from this machine, over its own loop, and for nobody else."""
    server, client = scope.get("server") or ("",), scope.get("client") or ("",)
    if not (is_this_machine(server[0]) and is_this_machine(client[0])):
        return False
    headers = Headers(scope=scope)
    return not any(name in headers for name in FORWARDED)


def _listened_on(scope: Scope) -> list[str]:
    """The address that the request came in on: what a foreign DNS name can't be."""
    address = (scope.get("server") or ("",))[0] or ""
    return [f"[{address}]" if ":" in address else address]


def _unknown_host(scope: Scope) -> str:
    host = Headers(scope=scope).get("host", "")[:LONGEST_NAME]
    return (
        f"A request for the host {host!r} was refused. If that is this dashboard's address, add "
        "its name to hosts (CHARGEBACK_HOSTS) and start it again."
    )


async def _live(receive: Receive, send: Send) -> None:
    """Starts and stops with the server."""
    while (message := await receive())["type"] != "lifespan.shutdown":
        await send({"type": f"{message['type']}.complete"})
    await send({"type": "lifespan.shutdown.complete"})
