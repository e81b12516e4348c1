"""The service as an ASGI app: endpoints behind the guard, and every failure as the same small document."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from seehear import __version__
from seehear.errors import SeeHearError
from seehear.search.searching import Searcher
from seehear.search.service.desk import Desk
from seehear.search.service.guard import Guard
from seehear.search.service.refused import RefusedError, as_refused
from seehear.search.service.routes import routes
from seehear.search.service.settings import Settings

LOG = logging.getLogger("seehear.serve")


class App:
    """The service.

    Args:
        searcher: of the table, at its version.
        settings: limits.

    Attributes:
        desk: what the endpoints share.

    Raises:
        StorageError: where no temporary folder can be made.
    """

    def __init__(self, searcher: Searcher, settings: Settings | None = None):
        self.settings = settings or Settings()
        self.desk = Desk(searcher, self.settings)
        self._guard = Guard(_api(self.desk), self.settings, self.desk.doorkeeper)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        await self._guard(scope, receive, send)


def _api(desk: Desk) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        desk.open()
        try:
            yield
        finally:
            desk.close()

    api = FastAPI(
        title="SeeHear search",
        version=__version__,
        description="Search a collection of clips by sound, picture or clip. Where the service asks for a token, send "
        "the header Authorization: Bearer TOKEN.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    api.include_router(routes(desk))
    api.add_exception_handler(RefusedError, _refused)
    api.add_exception_handler(SeeHearError, _failed)
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(HTTPException, _unknown)
    api.add_exception_handler(Exception, _bug)
    return api


def _document(request: Request, refused: RefusedError) -> Response:
    body = refused.document(request.scope["state"]["request_id"])
    return JSONResponse(body, refused.status, headers=refused.headers)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    return _document(request, error)


def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, SeeHearError)
    LOG.warning("%s %s", request.scope["state"]["request_id"], error)
    return _document(request, as_refused(error))


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    name = str(first["loc"][-1]) if first["loc"] else "request"
    return _document(
        request, RefusedError(422, "bad-value", f"{name}: {first['msg'].lower()}", cure="see the page docs")
    )


def _unknown(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "not-found", 405: "wrong-method"}.get(error.status_code, "http")
    return _document(request, RefusedError(error.status_code, code, str(error.detail).lower()))


def _bug(request: Request, error: Exception) -> Response:
    """The trace goes to the log, with the request's id; the client gets the id."""
    request_id = request.scope["state"]["request_id"]
    LOG.error("%s %s: %s", request_id, type(error).__name__, error)
    return _document(request, RefusedError(500, "bug", "the service failed", cure="report it with the request id"))
