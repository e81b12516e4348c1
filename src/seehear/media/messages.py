"""Messages between the pool and its processes: large arrays through shared memory, the rest as a small pickle.

Arrays leave the pickle out of band (PEP 574) into one anonymous memory file whose descriptor is passed along, so a
killed process leaves nothing behind. What comes back from a process that decoded foreign bytes is only allowed to
build plain values, arrays and this package's own dataclasses and errors: a restricted unpickler refuses all else.
"""

import array
import dataclasses
import enum
import importlib
import io
import os
import pickle
import socket
import struct
import tempfile
from typing import Any

import numpy as np

from seehear.errors import SeeHearError

_INLINE_BYTES = 65_536  # smaller buffers travel inside the pickle
_HEADER = struct.Struct("<QI")  # bytes of pickle, number of buffers
_PLAIN = {
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy.core.numeric", "_frombuffer"),
    ("builtins", "set"),
    ("builtins", "frozenset"),
    ("builtins", "bytearray"),
    ("builtins", "complex"),
    ("fractions", "Fraction"),
    ("pathlib", "PosixPath"),
    ("pathlib._local", "PosixPath"),
    ("seehear.errors", "_rebuild_media_error"),
}


def send(channel: socket.socket, message: Any) -> None:
    """Send one message.

    Raises:
        OSError: where the other side is gone or the channel's time is up.
        pickle.PicklingError, AttributeError, TypeError: where it cannot be pickled (nothing was sent then).
    """
    buffers: list[memoryview] = []
    data = pickle.dumps(message, protocol=5, buffer_callback=lambda buffer: _keep_inside(buffer, buffers))
    sizes = struct.pack(f"<{len(buffers)}Q", *(view.nbytes for view in buffers))
    channel.sendall(_HEADER.pack(len(data), len(buffers)) + sizes + data)
    if buffers:
        memory = _anonymous_file()
        try:
            for view in buffers:
                _write(memory, view)
            descriptors = array.array("i", [memory])
            channel.sendmsg([b"m"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])
        finally:
            os.close(memory)


def receive(channel: socket.socket, *, trusted: bool) -> Any:
    """Receive one message; an untrusted one may only build the plain things named at the top.

    Raises:
        EOFError: where the other side is gone.
        TimeoutError: where the channel's time is up.
        pickle.UnpicklingError: where an untrusted message holds anything else.
    """
    size, count = _HEADER.unpack(_exactly(channel, _HEADER.size))
    sizes = struct.unpack(f"<{count}Q", _exactly(channel, 8 * count))
    data = _exactly(channel, size)
    buffers = _receive_buffers(channel, sizes) if count else []
    if trusted:
        return pickle.loads(data, buffers=buffers)  # noqa: S301 (from the process that started this one)
    return _PlainUnpickler(io.BytesIO(data), buffers=buffers).load()


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        """Plain values, arrays, and dataclasses, enumerations and errors of this package; nothing else."""
        if (module_name, global_name) in _PLAIN:
            return super().find_class(module_name, global_name)
        if module_name.startswith("seehear."):
            found = getattr(importlib.import_module(module_name), global_name, None)
            if isinstance(found, type) and (
                dataclasses.is_dataclass(found) or issubclass(found, enum.Enum | SeeHearError)
            ):
                return found
        raise pickle.UnpicklingError(f"a result may not hold a {module_name}.{global_name}")


def _keep_inside(buffer: pickle.PickleBuffer, outside: list[memoryview]) -> bool:
    view = buffer.raw()
    if view.nbytes < _INLINE_BYTES:
        return True
    outside.append(view)
    return False


def _anonymous_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("seehear")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _write(descriptor: int, view: memoryview) -> None:
    while view.nbytes:
        view = view[os.write(descriptor, view) :]


def _receive_buffers(channel: socket.socket, sizes: tuple[int, ...]) -> list[np.ndarray]:
    _, descriptors, _, _ = socket.recv_fds(channel, 1, 1)
    if not descriptors:
        raise EOFError("the other side is gone")
    try:
        buffers, offset = [], 0
        for size in sizes:
            buffers.append(_read(descriptors[0], size, offset))
            offset += size
        return buffers
    finally:
        os.close(descriptors[0])


def _read(descriptor: int, size: int, offset: int) -> np.ndarray:
    buffer = np.empty(size, np.uint8)
    done = 0
    while done < size:
        count = os.preadv(descriptor, [buffer.data[done:]], offset + done)
        if count == 0:
            raise EOFError("shared memory is shorter than announced")
        done += count
    return buffer


def _exactly(channel: socket.socket, size: int) -> bytes:
    data = bytearray(size)
    view = memoryview(data)
    while view.nbytes:
        count = channel.recv_into(view)
        if count == 0:
            raise EOFError("the other side is gone")
        view = view[count:]
    return bytes(data)
