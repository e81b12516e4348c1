"""A service over a small table, as tests ask it: in this process, and as files to upload."""

import io
import json
import threading
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from starlette.testclient import TestClient

from seehear.media import encode_jpeg
from seehear.search.searching import Searcher
from seehear.search.service.app import App
from seehear.search.service.server import Server, listen
from seehear.search.service.settings import Settings
from tests.search import made_tables

HOME = "http://localhost:8765"


@contextmanager
def service(table: Path, settings: Settings | None = None, **headers: str) -> Iterator[TestClient]:
    """A client of a service that is ready; `client.app` is the `App`."""
    app = App(Searcher(table, encoder=made_tables.encoder()), settings)
    with TestClient(app, base_url=HOME, headers=headers, raise_server_exceptions=False) as client:
        for _ in range(200):
            if client.get("/health/ready").status_code == 200:
                break
            time.sleep(0.02)
        yield client


@contextmanager
def running(table: Path, settings: Settings, knows: str = "") -> Iterator[int]:
    """The port of a service in a thread of this process."""
    ready = threading.Event()
    with listen("127.0.0.1", 0) as listening:
        searcher = Searcher(table, encoder=made_tables.encoder())
        searcher.columns = {name: replace(column, knows=knows) for name, column in searcher.columns.items()}
        app = App(searcher, settings)
        server = Server(app, ready=ready.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        port = int(listening.getsockname()[1])
        thread.start()
        assert ready.wait(30)
        yield port
        server.should_exit = True
        thread.join(30)
    assert not thread.is_alive()
    assert not app.desk.spool.folder.exists()


def error(answer: Any, status: int, table: Path) -> dict[str, str]:
    """The error of an answer that must have failed so, and that names no path and shows no trace."""
    assert answer.status_code == status, answer.text
    for word in (str(table), str(table.parent), "/tmp", "/home", "site-packages", "Traceback", ".py"):
        assert word not in answer.text
    found = json.loads(answer.text)["error"]
    assert found["code"]
    assert found["request_id"] == answer.headers["x-request-id"]
    return found


def wav(seconds: float = 1.0, hertz: float = 440.0, rate: int = 22_050) -> bytes:
    """A tone as a WAV file; 0 Hz is digital silence."""
    tone = (12_000 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(tone.tobytes())
    return buffer.getvalue()


def jpeg(height: int = 60, width: int = 80) -> bytes:
    """A picture."""
    rows, columns = np.mgrid[:height, :width]
    return encode_jpeg(np.stack([rows * 4 % 256, columns * 3 % 256, rows + columns], axis=-1).astype(np.uint8))


def ask(client: TestClient, data: bytes, **fields: object) -> Any:
    """Search with a file."""
    return client.post("/api/search", files={"file": ("query", data)}, data={k: str(v) for k, v in fields.items()})
