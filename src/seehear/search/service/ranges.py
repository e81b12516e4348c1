"""Part of a file in answer to the header Range (RFC 9110, section 14): players ask so to seek."""

import re

from starlette.requests import Request
from starlette.responses import Response

_ONE_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


def ranged(request: Request, data: bytes, media_type: str, tag: str) -> Response:
    """All of `data`, the one range that is asked for, or nothing where the client has it already.

    Args:
        request: may hold Range, If-Range and If-None-Match.
        data: the file.
        media_type: of the file.
        tag: differs where the data differ.
    """
    etag = f'"{tag}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Accept-Ranges": "bytes"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    asked = request.headers.get("range")
    if asked is None or request.headers.get("if-range", etag) != etag:
        return Response(data, media_type=media_type, headers=headers)
    wanted = _ONE_RANGE.fullmatch(asked)
    if wanted is None:  # several ranges, or another unit: all of it is a proper answer
        return Response(data, media_type=media_type, headers=headers)
    first, end = _bounds(wanted[1], wanted[2], len(data))
    if first >= end:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{len(data)}"})
    headers["Content-Range"] = f"bytes {first}-{end - 1}/{len(data)}"
    return Response(data[first:end], 206, media_type=media_type, headers=headers)


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """First byte and the one after the last; equal where there is nothing."""
    if not first:
        return (max(0, size - int(last)), size) if last else (0, 0)
    return int(first), min(size, int(last) + 1) if last else size
