"""The service as a process, over real sockets: slow and broken clients, an orderly end, wrong commands. T28, T29."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from seehear.cli import main
from seehear.cli.serve import EXAMPLES
from seehear.search.service.settings import Settings
from tests.cli.calls import failure
from tests.search import served

TOKEN = "a-token-of-some-length"


@contextlib.contextmanager
def _process(table: Path, *words: str, **variables: str) -> Iterator[tuple[subprocess.Popen[str], dict]]:
    """A service of its own, and what it said when it was ready."""
    command = [sys.executable, "-m", "seehear", "serve", str(table), "--port", "0", "--json", *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            lines = iter(process.stdout.readline, "")
            text = ""
            for line in lines:
                text += line
                if line == "}\n":
                    break
            yield process, json.loads(text)
        finally:
            process.kill()


def _until_closed(connection: socket.socket) -> bytes:
    """What still comes."""
    parts = []
    with contextlib.suppress(ConnectionError):
        while part := connection.recv(65_536):
            parts.append(part)
    return b"".join(parts)


def test_slow_clients_are_let_go(embedded_table: Path) -> None:
    with served.running(embedded_table, Settings(read_seconds=0.4)) as port:
        heads = {
            b"": b"",  # says nothing
            b"GET /api/clips HTTP/1.1\r\nHost: localh": b"",  # never ends its head
            b"POST /api/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            b"Content-Length: 500\r\n\r\n--b\r\n": b"too-slow",  # never ends its body
        }
        for sent, told in heads.items():
            began = time.monotonic()
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                connection.sendall(sent)
                assert told in _until_closed(connection)
            assert time.monotonic() - began < 5
        assert httpx.get(f"http://127.0.0.1:{port}/health/live").json() == {"live": True}


def test_a_head_that_drips_gets_no_more_time(embedded_table: Path) -> None:
    with served.running(embedded_table, Settings(read_seconds=0.5)) as port:
        began, alive = time.monotonic(), True
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n")
            while alive and time.monotonic() - began < 8:
                time.sleep(0.1)
                try:
                    connection.sendall(b"X: y\r\n")
                except ConnectionError:
                    alive = False
        assert not alive
        assert time.monotonic() - began < 5


def test_requests_that_are_no_http(embedded_table: Path) -> None:
    with served.running(embedded_table, Settings()) as port:
        for sent in (b"\x16\x03\x01\x02\x00\x01\x00" * 9 + b"\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + b"y" * 40_000):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                with contextlib.suppress(ConnectionError):
                    connection.sendall(sent)
                answer = _until_closed(connection)
            assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
        assert httpx.get(f"http://127.0.0.1:{port}/health/live").status_code == 200


def test_a_client_that_goes_away_leaves_nothing(embedded_table: Path) -> None:
    with served.running(embedded_table, Settings(workers=1)) as port:
        head = b"POST /api/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n' + bytes(50_000)
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                connection.sendall(head + b"Content-Length: 900000\r\n\r\n" + body)
        for _ in range(100):  # all slots come back
            answer = httpx.post(f"http://127.0.0.1:{port}/api/search", files={"file": ("f", served.wav())})
            if answer.status_code == 200:
                break
            time.sleep(0.05)
        assert answer.status_code == 200


def test_a_request_beyond_its_time_is_ended(embedded_table: Path, monkeypatch) -> None:
    from seehear.search.service.desk import Desk

    monkeypatch.setattr(Desk, "collection", lambda self: time.sleep(1.0))
    with served.running(embedded_table, Settings(total_seconds=0.3)) as port:
        answer = httpx.get(f"http://127.0.0.1:{port}/api/collection")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "timeout")


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.full)])
def test_it_ends_in_order_and_answers_what_is_under_way(embedded_table: Path, number: signal.Signals) -> None:
    """On every address of this machine, with a token from the environment: all that a process shows, in one start."""
    with _process(embedded_table, "--host", "0.0.0.0", SEEHEAR_TOKEN=TOKEN) as (process, facts):
        assert (facts["clips"], facts["token"]) == (24, True)
        assert TOKEN not in json.dumps(facts)
        url, bearer = facts["url"], {"Authorization": f"Bearer {TOKEN}"}
        assert httpx.get(url + "api/collection").status_code == 401
        assert httpx.get(url + "api/collection", headers=bearer).status_code == 200
        port = int(url.rstrip("/").rsplit(":", 1)[1])
        body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
        body += served.wav() + b"\r\n--b--\r\n"
        head = b"POST /api/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        head += b"Authorization: Bearer " + TOKEN.encode() + b"\r\n"
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body[:1000])
            time.sleep(0.3)
            process.send_signal(number)
            time.sleep(0.5)
            with pytest.raises(OSError, match=r"refused|reset"):
                socket.create_connection(("127.0.0.1", port), timeout=5).recv(1)
            connection.sendall(body[1000:])
            answer = _until_closed(connection)
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.endswith(b"}")
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


def test_wrong_commands_start_nothing(
    embedded_table: Path, packed_table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    monkeypatch.delenv("SEEHEAR_TOKEN", raising=False)
    (tmp_path / "short.txt").write_text("short\n")
    (tmp_path / "words.txt").write_text("two words of some length\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        cases = [
            ((embedded_table, "--host", "0.0.0.0"), 2, "without a token"),
            ((embedded_table, "--host", "::"), 2, "without a token"),
            ((embedded_table, "--token-file", tmp_path / "short.txt"), 2, "a token of 5 characters"),
            ((embedded_table, "--token-file", tmp_path / "words.txt"), 2, "holds no token"),
            ((embedded_table, "--token-file", tmp_path / "none.txt"), 2, "No such file"),
            ((embedded_table, "--port", port), 2, f"port {port} of 127.0.0.1 is in use"),
            ((embedded_table, "--port", 70_000), 2, "--port is 70000"),
            ((embedded_table, "--host", "127.0.0.1.example"), 2, "without a token"),
            ((embedded_table, "--workers", 0), 2, "--workers is 0"),
            ((embedded_table, "--model", "other"), 2, "model 'other'"),
            ((packed_table,), 5, "seehear embed MODEL"),
            ((tmp_path / "nowhere.lance",), 5, "there is no table"),
        ]
        for words, status, says in cases:
            found = failure(capsys, "serve", *words)
            assert (found[0], says in found[1]) == (status, True), found
    assert main(["serve", "--help"]) == 0
    assert all(example in capsys.readouterr().out for example in EXAMPLES[:1])
