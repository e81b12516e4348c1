"""Reading a form with one file: piece by piece, the file into the spool, counted as it comes.

The client's name and type of the file are ignored: what a file is, its bytes decide.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from anyio import to_thread
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from seehear.search.service.refused import RefusedError
from seehear.search.service.settings import Settings
from seehear.search.service.spool import Spooled

_HEADERS_OF_A_PART = 8
_HEADER_OF_A_PART_BYTES = 4096

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks


@dataclass
class Form:
    """What a form said: `fields` by name; whether it brought a file."""

    fields: dict[str, str] = field(default_factory=dict)
    has_file: bool = False


async def read_form(content_type: str, body: AsyncIterator[bytes], spooled: Spooled, settings: Settings) -> Form:
    """Read a form; its file goes to `spooled`.

    Raises:
        RefusedError: 400 where it is no form, 413 where there is too much of something, 429 and 507 as the spool says.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise RefusedError(400, "no-form", "a body that is no form", "multipart/form-data with one file")
    reading = _Reading(settings)
    try:
        parser = MultipartParser(
            boundary,
            reading.callbacks(),
            max_header_count=_HEADERS_OF_A_PART,
            max_header_size=_HEADER_OF_A_PART_BYTES,
        )
        async for piece in body:
            parser.write(piece)
            if reading.pending:
                await to_thread.run_sync(spooled.write, bytes(reading.pending))
                reading.pending.clear()
        parser.finalize()
    except FormParserError as error:
        raise RefusedError(400, "no-form", "a form that cannot be read", "multipart/form-data with one file") from error
    if not reading.ended:
        raise RefusedError(400, "no-form", "a form that breaks off", "multipart/form-data with one file")
    await to_thread.run_sync(spooled.finish)
    return reading.form


class _Reading:
    """The state of a form while it is read; `pending` is what of the file waits to be written."""

    def __init__(self, settings: Settings):
        self.form, self.pending, self.ended = Form(), bytearray(), False
        self._settings, self._fields = settings, 0
        self._header, self._value = bytearray(), bytearray()
        self._disposition, self._text, self._name = b"", bytearray(), ""
        self._in_file = False

    def callbacks(self) -> "MultipartCallbacks":
        """For the parser."""
        return {
            "on_part_begin": self._part,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_part_end": self._part_end,
            "on_end": self._end,
        }

    def _part(self) -> None:
        self._disposition, self._text, self._in_file = b"", bytearray(), False

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header, self._value = bytearray(), bytearray()

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"name" not in options:
            raise RefusedError(400, "no-form", "a part of the form without a name")
        self._name = options[b"name"].decode("utf-8", "replace")
        self._in_file = b"filename" in options
        if self._in_file:
            if self.form.has_file:
                raise RefusedError(413, "too-many-files", "more than one file", "one file in a form")
            self.form.has_file = True
            return
        self._fields += 1
        if self._fields > self._settings.fields:
            most = self._settings.fields
            raise RefusedError(413, "too-many-fields", f"more than {most} fields", f"at most {most} in a form")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self.pending += data[start:end]
            return
        self._text += data[start:end]
        if len(self._text) > self._settings.field_bytes:
            most = self._settings.field_bytes // 1024
            raise RefusedError(413, "field-too-large", f"a field of more than {most} KiB", f"at most {most} KiB")

    def _part_end(self) -> None:
        if not self._in_file:
            self.form.fields[self._name] = self._text.decode("utf-8", "replace")

    def _end(self) -> None:
        self.ended = True
