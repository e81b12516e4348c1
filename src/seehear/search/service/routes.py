"""The endpoints, as FastAPI documents them."""

import math
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Body, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from seehear.search.service.assets import assets
from seehear.search.service.catalogue import MOST_ON_A_PAGE
from seehear.search.service.desk import Ask, Desk
from seehear.search.service.form import read_form
from seehear.search.service.ranges import ranged
from seehear.search.service.refused import RefusedError
from seehear.search.service.tokens import COOKIE
from seehear.search.service.uploads import Wish

Key = Annotated[str, Path(pattern="^[0-9a-f]{16}$", description="key of a clip, as the service gave it")]
By = Annotated[Literal["", "audio", "image", "audiovisual"], Query(description="which vector of the query to ask with")]
Target = Annotated[Literal["", "audio", "image", "audiovisual"], Query(description="which vectors to search among")]
Name = Annotated[str, Query(max_length=400)]
Of = Annotated[Literal["", "audio", "image", "audiovisual"], Query(description="whose vectors are laid out")]
_WORDS = {"type": "string"}
_MODALITIES = ["", "audio", "image", "audiovisual"]
_FORM = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {"type": "string", "format": "binary", "description": "sound, picture or video"},
                    "use": _WORDS | {"enum": ["clip", "audio", "image"], "description": "what of it; clip: all it has"},
                    "at": {"type": "number", "description": "second at which its window begins; none: all of it"},
                    "by": _WORDS | {"enum": _MODALITIES, "description": "which vector of it to ask with"},
                    "target": _WORDS | {"enum": _MODALITIES, "description": "which vectors to search among"},
                    "k": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 24},
                    "label": _WORDS | {"description": "of the clips that may be found"},
                    "split": _WORDS | {"description": "of the clips that may be found"},
                },
            }
        }
    },
}


def routes(desk: Desk) -> APIRouter:
    """All endpoints on a desk."""
    router = APIRouter()
    for add in (_page, _health, _collection, _search, _media):
        add(router, desk)
    return router


def _page(router: APIRouter, desk: Desk) -> None:
    def serve(data: bytes, kind: str) -> Any:
        def answer() -> Response:
            return Response(data, media_type=kind, headers={"Cache-Control": "no-cache"})

        return answer

    for path, (data, kind) in assets().items():
        router.add_api_route(path, serve(data, kind), methods=["GET"], include_in_schema=False)

    @router.post("/api/session", tags=["service"], summary="Trade the token for a cookie, as the page does")
    def session(request: Request, token: Annotated[str, Body(embed=True, max_length=1000)]) -> Response:
        client = request.client.host if request.client else ""
        desk.doorkeeper.admit(token, client)
        answer = JSONResponse({"ok": True})
        answer.set_cookie(COOKIE, desk.doorkeeper.session, httponly=True, samesite="strict", path="/")
        return answer


def _health(router: APIRouter, desk: Desk) -> None:
    @router.get("/health/live", tags=["service"], summary="The process answers")
    def live() -> dict[str, bool]:
        return {"live": True}

    @router.get("/health/ready", tags=["service"], summary="Requests can be sent: 503 while loading and draining")
    def ready() -> Response:
        good = desk.ready and not desk.draining
        return JSONResponse({"ready": good, "draining": desk.draining}, 200 if good else 503)


def _collection(router: APIRouter, desk: Desk) -> None:
    @router.get("/api/collection", tags=["collection"], summary="What the collection is, and whose vectors it has")
    def collection() -> dict[str, Any]:
        return desk.collection()

    @router.get("/api/clips", tags=["collection"], summary="The clips, some at a time")
    def clips(
        offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
        limit: Annotated[int, Query(ge=1, le=MOST_ON_A_PAGE)] = 48,
        label: Name = "",
        split: Name = "",
        text: Annotated[str, Query(max_length=200, description="words in name, file, labels or caption")] = "",
    ) -> dict[str, Any]:
        return desk.catalogue.page(offset, limit, label, split, text)

    @router.get("/api/clips/{key}", tags=["collection"], summary="One clip")
    def clip(key: Key) -> dict[str, Any]:
        return desk.catalogue.clip(desk.catalogue.row(key))

    @router.get("/api/map", tags=["collection"], summary='t-SNE of the vectors; state "computing" until it is laid out')
    def laid_out(of: Of = "") -> dict[str, Any]:
        return desk.map_of(of)


def _search(router: APIRouter, desk: Desk) -> None:
    @router.post("/api/search", tags=["search"], summary="Search with a file", openapi_extra={"requestBody": _FORM})
    async def by_file(request: Request) -> dict[str, Any]:
        desk.rate.take(_asker(request))
        with desk.slots.one(), desk.spool.file() as spooled:
            content_type = request.headers.get("content-type", "")
            form = await read_form(content_type, request.stream(), spooled, desk.settings)
            if not form.has_file:
                raise RefusedError(400, "no-file", "a form without a file", "one file in the field `file`")
            wish, ask = _wish(form.fields), _asked(form.fields, desk.settings.most_hits)
            return await to_thread.run_sync(desk.by_file, spooled.path, wish, ask)

    @router.get("/api/search", tags=["search"], summary="Search with a clip, or again with a query that was asked")
    def by_name(
        request: Request,
        clip: Annotated[str, Query(pattern="^([0-9a-f]{16})?$", description="key of a clip")] = "",
        query: Annotated[str, Query(pattern="^([0-9a-f]{24})?$", description="`query` of an earlier answer")] = "",
        by: By = "",
        target: Target = "",
        k: Annotated[int, Query(ge=1, le=desk.settings.most_hits)] = 24,
        label: Name = "",
        split: Name = "",
    ) -> dict[str, Any]:
        if bool(clip) == bool(query):
            raise RefusedError(422, "bad-value", "clip and query", "one of them")
        desk.rate.take(_asker(request))
        with desk.slots.one():
            ask = Ask(by, target, k, label, split)
            return desk.by_clip(clip, ask) if clip else desk.again(query, ask)

    @router.get("/api/clips/{key}/where", tags=["search"], summary="Where in the clip's picture a sound seems to be")
    def where(
        request: Request,
        key: Key,
        query: Annotated[str, Query(pattern="^([0-9a-f]{24})?$", description="of an answer; none: its own sound")] = "",
    ) -> dict[str, Any]:
        desk.rate.take(_asker(request))
        with desk.slots.one():
            return desk.where_seen(key, query)


def _media(router: APIRouter, desk: Desk) -> None:
    mark = f"{desk.searcher.table.version}"

    @router.get("/api/clips/{key}/thumbnail", tags=["media"], summary="JPEG of the middle frame")
    def thumbnail(request: Request, key: Key) -> Response:
        data = desk.shown.thumbnail(desk.catalogue.row(key))
        return ranged(request, data, "image/jpeg", f"{mark}-{key}-{len(data)}")

    @router.get("/api/clips/{key}/sound", tags=["media"], summary="WAV, 16 kHz mono")
    def sound(request: Request, key: Key) -> Response:
        data = desk.shown.sound(desk.catalogue.row(key))
        return ranged(request, data, "audio/wav", f"{mark}-{key}-{len(data)}")

    @router.get("/api/clips/{key}/video", tags=["media"], summary="The clip as mp4 (or the WebM that the table keeps)")
    def video(
        request: Request,
        key: Key,
        made: Annotated[bool, Query(description="make one of the frames even where the table keeps one")] = False,
    ) -> Response:
        data, kind = desk.shown.video(desk.catalogue.row(key), made)
        return ranged(request, data, kind, f"{mark}-{key}-{len(data)}")


def _asker(request: Request) -> str:
    """Whose rate counts."""
    client = request.client.host if request.client else ""
    return "token" if "authorization" in request.headers else client


def _wish(fields: dict[str, str]) -> Wish:
    text = fields.get("at", "")
    if not text:
        return Wish(fields.get("use") or "clip")
    at = _number(text, "at")
    if not 0 <= at < 1e6:
        raise RefusedError(422, "bad-value", f"at is {text[:40]!r}", "a second of the file")
    return Wish(fields.get("use") or "clip", at)


def _asked(fields: dict[str, str], most: int) -> Ask:
    k = _number(fields.get("k") or "24", "k")
    if k != int(k) or not 1 <= k <= most:
        raise RefusedError(422, "bad-value", f"k is {fields['k'][:40]!r}", f"a number from 1 to {most}")
    return Ask(
        fields.get("by", "")[:40],
        fields.get("target", "")[:40],
        int(k),
        fields.get("label", ""),
        fields.get("split", ""),
    )


def _number(text: str, name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise RefusedError(422, "bad-value", f"{name} is {text[:40]!r}", "a number")
    return value
