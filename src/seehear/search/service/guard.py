"""The door of the service, before anything reads a request: size, host, site, token, rates, times.

Every answer gets a request id and headers that let the page load what comes from here and nothing else.
"""

import asyncio
import json
import logging
import secrets
import time
from collections.abc import Mapping
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seehear.search.service.hosts import check_host, check_site
from seehear.search.service.rates import Rate, Slots
from seehear.search.service.refused import RefusedError
from seehear.search.service.settings import Settings
from seehear.search.service.tokens import Doorkeeper

LOG = logging.getLogger("seehear.serve")
UPLOADS = "/api/search"
OPEN = ("/health/live", "/health/ready", "/api/session")
POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
}


class Guard:
    """ASGI middleware that holds the limits of `Settings`.

    Args:
        app: what answers the requests that are let in.
        settings: the limits.
        doorkeeper: knows the token.
    """

    def __init__(self, app: ASGIApp, settings: Settings, doorkeeper: Doorkeeper):
        self._app, self._settings, self._doorkeeper = app, settings, doorkeeper
        self._slots = Slots(settings.most_requests)
        self._rate = Rate(settings.requests_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, secrets.token_hex(8), brings_body=scope["method"] not in ("GET", "HEAD"))
        scope.setdefault("state", {})["request_id"] = answer.request_id
        began = time.monotonic()
        try:
            self._let_in(scope)
            with self._slots.one():
                async with asyncio.timeout(self._settings.total_seconds):
                    await self._app(scope, self._counted(scope, receive), answer.send)
        except RefusedError as refused:
            await answer.refuse(refused)
        except TimeoutError:
            seconds = self._settings.total_seconds
            await answer.refuse(RefusedError(503, "timeout", f"this took more than {seconds:g} s", cure="try again"))
        finally:
            path = scope["path"].encode("unicode_escape").decode()
            took = 1000 * (time.monotonic() - began)
            LOG.info("%s %s %s %s %.0f ms", answer.request_id, scope["method"], path, answer.status, took)

    def _let_in(self, scope: Scope) -> None:
        size = sum(len(name) + len(value) + 4 for name, value in scope["headers"]) + len(scope.get("query_string", b""))
        if size > self._settings.header_bytes:
            most = self._settings.header_bytes // 1024
            raise RefusedError(431, "headers-too-large", f"headers of {size:,} bytes", f"at most {most} KiB")
        headers = Headers(scope=scope)
        check_host(headers, self._settings)
        check_site(scope["method"], headers)
        client = str((scope.get("client") or ("", 0))[0])
        if _needs_token(scope["path"]):
            self._doorkeeper.check(headers, client)
        self._rate.take("token" if self._doorkeeper.asks and "authorization" in headers else client)
        _check_length(headers, self._most(scope))

    def _most(self, scope: Scope) -> int:
        """Bytes of a body: only uploads, which go to the disk, may be large."""
        return self._settings.body_bytes if scope["path"] == UPLOADS else self._settings.field_bytes

    def _counted(self, scope: Scope, receive: Receive) -> Receive:
        """The request's body, within its size and times."""
        settings, most, seen, done = self._settings, self._most(scope), 0, False

        async def counted() -> Message:
            nonlocal seen, done
            if done:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), settings.read_seconds)
            except TimeoutError:
                found = f"nothing came for {settings.read_seconds:g} s"
                raise RefusedError(408, "too-slow", found, cure="send the whole request without a pause") from None
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                done = not message.get("more_body", False)
            if seen > most:
                raise _too_large(most)
            return message

        return counted


class _Answer:
    """An answer under way: adds headers, and knows whether it has begun."""

    def __init__(self, send: Send, request_id: str, brings_body: bool):
        self._send, self.request_id, self.status = send, request_id, 0
        self._brings_body = brings_body

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in (HEADERS | {"X-Request-Id": self.request_id}).items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-store")
            if self._brings_body and self.status >= HTTPStatus.BAD_REQUEST:
                headers["Connection"] = "close"  # what is left of the body is not waited for
        await self._send(message)

    async def refuse(self, refused: RefusedError) -> None:
        """Say why; an answer that has begun is cut off by the server instead."""
        if self.status:
            return
        body = json.dumps(refused.document(self.request_id)).encode()
        told = {"content-type": "application/json", "content-length": str(len(body))}
        raw = [(name.encode(), value.encode()) for name, value in (told | refused.headers).items()]
        await self.send({"type": "http.response.start", "status": HTTPStatus(refused.status).value, "headers": raw})
        await self.send({"type": "http.response.body", "body": body})


def _needs_token(path: str) -> bool:
    return path not in OPEN and (path.startswith("/api/") or path == "/openapi.json")


def _check_length(headers: Mapping[str, str], most: int) -> None:
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit():
        raise RefusedError(400, "bad-length", "a Content-Length that is no number")
    if len(length) > 15 or int(length) > most:
        raise _too_large(most)


def _too_large(most: int) -> RefusedError:
    size = f"{most / 2**20:g} MiB" if most >= 2**20 else f"{most / 2**10:g} KiB"
    return RefusedError(413, "too-large", f"more than {size}", f"at most {size}", "cut the file to what you look for")
