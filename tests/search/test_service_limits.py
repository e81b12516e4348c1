"""Every limit of the service, in this process: what is refused, how it is said, and that nothing stays behind. T28."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from seehear.errors import StorageError, UsageError
from seehear.search.searching import Searcher
from seehear.search.service.rates import Rate, Slots
from seehear.search.service.refused import RefusedError
from seehear.search.service.settings import Settings
from seehear.search.service.spool import Spool
from tests.search import served

TOKEN = "a-token-of-some-length"


@pytest.fixture(scope="module")
def client(embedded_table: Path):
    with served.service(embedded_table, Settings(searches_per_minute=10_000)) as found:
        yield found


def _left(client: TestClient) -> list[Path]:
    """What lies in the spool."""
    desk: Any = client.app.desk  # pyrefly: ignore[missing-attribute]
    return list(desk.spool.folder.iterdir())


BROKEN = {
    "nothing": (b"", "empty-file"),
    "text": (b"hello, this is no sound\n" * 50, "not-media"),
    "noise": (bytes(range(1, 256)) * 40, "not-media"),
    "half a picture": (served.jpeg()[:400], "damaged"),
    "half a head": (b"\x00\x00\x00\x20ftypisom" + bytes(64), "damaged"),
    "silence": (served.wav(1.0, 0.0), "silent"),
    "an hour of header": (served.wav(0.1)[:40] + b"\xff\xff\xff\x7f" + bytes(100), "silent"),
    "a playlist": (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "not-media"),
    "too long": (served.wav(601.0, 0.0, rate=2000), "over-limit"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_cannot_be_used_is_told_apart(client: TestClient, embedded_table: Path, name: str) -> None:
    data, code = BROKEN[name]
    error = served.error(served.ask(client, data), 422, embedded_table)
    assert error["code"] == code
    assert _left(client) == []


@pytest.mark.parametrize(
    ("use", "data", "code"), [("audio", served.jpeg(), "no-sound"), ("image", served.wav(), "no-picture")]
)
def test_a_file_of_the_wrong_kind(client: TestClient, embedded_table: Path, use: str, data: bytes, code: str) -> None:
    assert served.error(served.ask(client, data, use=use), 422, embedded_table)["code"] == code


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"k": 1001}, "bad-value"),
        ({"k": 0}, "bad-value"),
        ({"k": "1.5"}, "bad-value"),
        ({"k": "nan"}, "bad-value"),
        ({"at": "-1"}, "bad-value"),
        ({"at": "inf"}, "bad-value"),
        ({"at": "99"}, "nothing-there"),
        ({"use": "smell"}, "bad-value"),
        ({"target": "smell"}, "unknown-target"),
        ({"by": "image"}, "no-vector"),
        ({"label": "no such"}, "unknown-label"),
        ({"split": "../../etc"}, "unknown-split"),
    ],
)
def test_wishes_that_cannot_be_met(client: TestClient, embedded_table: Path, fields: dict, code: str) -> None:
    assert served.error(served.ask(client, served.wav(), **fields), 422, embedded_table)["code"] == code


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/clips/..%2f..%2fetc%2fpasswd", 404),
        ("/api/clips/%2e%2e", 422),
        ("/api/clips/../../etc/passwd", 404),
        ("/api/clips/clip000", 422),
        ("/api/clips/0000000000000000", 404),
        ("/api/clips/ffffffffffffffff/video", 404),
        ("/api/search?clip=" + 16 * "0", 404),
        ("/api/search?query=" + 24 * "0", 404),
        ("/api/search?clip=../../../etc/passwd", 422),
        ("/api/search", 422),
        ("/api/search?k=1001&clip=" + 16 * "0", 422),
        ("/api/clips?limit=201", 422),
        ("/api/clips?offset=-1", 422),
        ("/api/clips?label=nothing", 422),
        ("/api/map?of=smell", 422),
        ("/page/app.js", 404),
        ("/../app.py", 404),
        ("/nothing%00here", 404),
    ],
)
def test_what_is_not_there_is_said_without_paths(
    client: TestClient, embedded_table: Path, path: str, status: int
) -> None:
    served.error(client.get(path), status, embedded_table)


def test_results_name_no_folder(client: TestClient) -> None:
    text = client.get("/api/clips").text
    assert "file000.mp4" in text
    assert "videos/" not in text


def test_an_oversized_body_is_refused_before_and_while_it_comes(embedded_table: Path) -> None:
    with served.service(embedded_table, Settings(body_bytes=20_000)) as client:
        assert served.error(served.ask(client, bytes(30_000)), 413, embedded_table)["code"] == "too-large"

        def pieces():  # without a Content-Length
            yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
            for _ in range(10):
                yield bytes(5_000)

        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        answer = client.post("/api/search", content=pieces(), headers=headers)
        assert served.error(answer, 413, embedded_table)["code"] == "too-large"
        assert _left(client) == []
        headers["Content-Length"] = "many"
        assert served.error(client.post("/api/search", content=b"", headers=headers), 400, embedded_table)


def test_only_uploads_may_be_large(embedded_table: Path) -> None:
    with served.service(embedded_table, Settings(token=TOKEN)) as client:
        answer = client.post("/api/session", json={"token": "x" * 70_000})
        assert served.error(answer, 413, embedded_table)["expected"] == "at most 64 KiB"
        assert client.post("/api/session", json={"token": "x" * 2000}).status_code == 422


def _form(*parts: tuple[str, str | None, bytes]) -> dict[str, Any]:
    """Content and headers of a form of (name, file name, data)."""
    body = b""
    for name, file, data in parts:
        told = f'form-data; name="{name}"' + (f'; filename="{file}"' if file is not None else "")
        body += f"--b\r\nContent-Disposition: {told}\r\n\r\n".encode() + data + b"\r\n"
    return {"content": body + b"--b--\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=b"}}


WHOLE = _form(("file", "a", b"x"))


def _as_form(content: bytes, content_type: str = "multipart/form-data; boundary=b") -> dict[str, Any]:
    return {"content": content, "headers": {"Content-Type": content_type}}


FORMS = {
    "two files": (_form(("file", "a", b"1"), ("more", "b", b"2")), 413, "too-many-files"),
    "many fields": (_form(*((f"f{i}", None, b"") for i in range(21))), 413, "too-many-fields"),
    "ten thousand parts": (_form(*(("f", None, b"") for _ in range(10_000))), 413, "too-many-fields"),
    "a large field": (_form(("f", None, bytes(65_537))), 413, "field-too-large"),
    "no file": (_form(("k", None, b"3")), 400, "no-file"),
    "no name": (_as_form(b"--b\r\n\r\nx\r\n--b--\r\n"), 400, "no-form"),
    "broken off": (_as_form(WHOLE["content"][:-9]), 400, "no-form"),
    "no boundary": (_as_form(b"x", "multipart/form-data"), 400, "no-form"),
    "long boundary": (_as_form(b"x", "multipart/form-data; boundary=" + 999 * "b"), 400, "no-form"),
    "no form": (_as_form(b"{}", "application/json"), 400, "no-form"),
    "many headers": (_as_form(b"--b\r\n" + b"X: y\r\n" * 50 + b"\r\nx\r\n--b--\r\n"), 400, "no-form"),
}


@pytest.mark.parametrize("name", FORMS)
def test_forms_beyond_the_limits(client: TestClient, embedded_table: Path, name: str) -> None:
    options, status, code = FORMS[name]
    assert served.error(client.post("/api/search", **options), status, embedded_table)["code"] == code
    assert _left(client) == []


def test_exactly_the_allowed_form_is_read(client: TestClient) -> None:
    fields = [(f"f{i}", None, bytes(65_536)) for i in range(20)]
    assert client.post("/api/search", **_form(*fields, ("file", "a", served.wav()))).status_code == 200


def test_a_name_from_the_client_names_no_file(client: TestClient, tmp_path: Path) -> None:
    hostile = str(tmp_path / "written")
    answer = client.post("/api/search", **_form(("file", hostile, served.wav())))
    assert answer.status_code == 200
    assert not Path(hostile).exists()
    assert hostile not in answer.text


def test_large_headers_are_refused(client: TestClient, embedded_table: Path) -> None:
    answer = client.get("/api/clips", headers={"X-Large": "x" * 16_384})
    assert served.error(answer, 431, embedded_table)["code"] == "headers-too-large"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:9999", 200),
        ("127.0.0.1:8765", 200),
        ("[::1]:8765", 200),
        ("LOCALHOST", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost@evil.example", 421),
        ("192.168.1.7:8765", 421),
        ("", 421),
        ("[::1", 421),
    ],
)
def test_only_own_names_are_answered(client: TestClient, host: str, status: int) -> None:
    assert client.get("/api/collection", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": served.HOME, "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:9999"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 403),
    ],
)
def test_posts_of_other_sites_are_refused(client: TestClient, headers: dict[str, str], status: int) -> None:
    answer = client.post("/api/search", files={"file": ("f", served.wav())}, headers=headers)
    assert answer.status_code == status
    assert "access-control-allow-origin" not in answer.headers


def test_a_link_from_elsewhere_opens_the_page_and_embeds_nothing(client: TestClient) -> None:
    assert client.get("/", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}).status_code == 200
    answer = client.get("/api/clips", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"})
    assert answer.status_code == 403


def test_a_token_is_asked_for_and_compared(embedded_table: Path) -> None:
    with served.service(embedded_table, Settings(token=TOKEN, wrong_tokens_per_minute=3)) as client:
        assert client.get("/").status_code == client.get("/health/live").status_code == 200
        for path in ("/api/collection", "/api/clips", "/openapi.json", "/api/map"):
            assert served.error(client.get(path), 401, embedded_table)["code"] == "token"
        good = {"Authorization": f"Bearer {TOKEN}"}
        assert client.get("/api/collection", headers=good).status_code == 200
        wrong = [{"Authorization": f"Bearer {text}"} for text in (TOKEN[:-1], TOKEN + "x", "ä")]
        codes = [
            client.get("/api/collection", headers={"Authorization": h["Authorization"].encode()}).status_code
            for h in wrong
        ]
        assert codes == [401, 401, 401]
        answer = client.get("/api/collection", headers=wrong[0])
        assert served.error(answer, 429, embedded_table)["code"] == "rate"
        assert int(answer.headers["retry-after"]) >= 1


def test_the_page_trades_the_token_for_a_cookie(embedded_table: Path) -> None:
    with served.service(embedded_table, Settings(token=TOKEN)) as client:
        assert client.post("/api/session", json={"token": "wrong"}).status_code == 401
        answer = client.post("/api/session", json={"token": TOKEN})
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert TOKEN not in cookie
        assert client.get("/api/collection").status_code == 200
        client.cookies.clear()
        assert client.get("/api/collection", headers={"Cookie": "seehear=other"}).status_code == 401


def test_beyond_loopback_a_token_is_needed() -> None:
    with pytest.raises(UsageError, match="without a token"):
        Settings(any_address=True)
    with pytest.raises(UsageError, match="a token of 5 characters"):
        Settings(token="short")


def test_numeric_addresses_are_names_only_beyond_loopback(embedded_table: Path) -> None:
    settings = Settings(token=TOKEN, any_address=True)
    with served.service(embedded_table, settings, Authorization=f"Bearer {TOKEN}") as client:
        assert client.get("/api/collection", headers={"Host": "192.168.1.7:8765"}).status_code == 200
        assert client.get("/api/collection", headers={"Host": "evil.example"}).status_code == 421


def test_too_many_searches_together_are_told_to_come_again(embedded_table: Path, monkeypatch) -> None:
    with served.service(embedded_table, Settings(workers=1)) as client:
        desk: Any = client.app.desk  # pyrefly: ignore[missing-attribute]
        inside, go_on, plain = threading.Semaphore(0), threading.Event(), desk.by_file

        def slow(*given: Any) -> Any:
            inside.release()
            go_on.wait(20)
            return plain(*given)

        monkeypatch.setattr(desk, "by_file", slow)
        codes: list[int] = []
        threads = [
            threading.Thread(target=lambda: codes.append(served.ask(client, served.wav()).status_code)) for _ in "ab"
        ]
        for thread in threads:
            thread.start()
        for _ in threads:
            assert inside.acquire(timeout=20)
        answer = served.ask(client, served.wav())
        assert served.error(answer, 429, embedded_table)["code"] == "busy"
        assert int(answer.headers["retry-after"]) >= 1
        assert client.get("/api/clips").status_code == 200  # others are served
        go_on.set()
        for thread in threads:
            thread.join()
        assert codes == [200, 200]
        assert served.ask(client, served.wav()).status_code == 200
        assert _left(client) == []


def test_searches_have_a_rate(embedded_table: Path) -> None:
    with served.service(embedded_table, Settings(searches_per_minute=3)) as client:
        key = client.get("/api/clips").json()["clips"][0]["key"]
        codes = [client.get("/api/search", params={"clip": key}).status_code for _ in range(5)]
        assert codes == [200, 200, 200, 429, 429]
        assert client.get("/api/clips").status_code == 200


def test_a_rate_refills_evenly_and_by_key() -> None:
    now = [0.0]
    rate = Rate(60, lambda: now[0])
    for _ in range(60):
        rate.take("a")
    with pytest.raises(RefusedError):
        rate.take("a")
    rate.take("b")
    now[0] += 2.0
    rate.take("a")
    rate.take("a")
    with pytest.raises(RefusedError):
        rate.take("a")


def test_slots_come_back_after_a_failure() -> None:
    slots = Slots(1)
    for _ in range(3):
        with pytest.raises(KeyError), slots.one():
            raise KeyError("inside")
    with slots.one(), pytest.raises(RefusedError), slots.one():
        pass
    assert slots.taken == 0


def test_the_spool_keeps_to_its_quota(embedded_table: Path) -> None:
    with served.service(embedded_table, Settings(spool_bytes=30_000)) as client:
        assert served.error(served.ask(client, served.wav(2.0)), 429, embedded_table)["code"] == "spool-full"
        assert served.ask(client, served.wav(0.5)).status_code == 200
        desk: Any = client.app.desk  # pyrefly: ignore[missing-attribute]
        assert desk.spool.held_bytes == 0
        folder = desk.spool.folder
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()


def test_a_full_disk_is_said() -> None:
    spool = Spool(1000)
    with spool.file() as spooled:
        spooled._file.close()
        spooled._file = _Full()  # pyrefly: ignore[bad-assignment]
        for act in (lambda: spooled.write(b"x"), spooled.finish):
            with pytest.raises(RefusedError) as caught:
                act()
            assert (caught.value.status, caught.value.code) == (507, "disk-full")
    assert spool.held_bytes == 0
    spool.close()


class _Full:
    """A file on a full disk."""

    def write(self, data: bytes) -> int:
        raise OSError(28, "No space left on device", "/secret/place")

    def close(self) -> None:
        raise OSError(28, "No space left on device", "/secret/place")


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (ZeroDivisionError("/secret/place"), 500, "bug"),
        (StorageError("/secret/place is damaged"), 503, "storage"),
        (UsageError("/secret/place is wrong"), 422, "cannot-be-done"),
    ],
)
def test_no_failure_tells_a_path(
    client: TestClient, embedded_table: Path, monkeypatch, raised: Exception, status: int, code: str
) -> None:
    desk: Any = client.app.desk  # pyrefly: ignore[missing-attribute]

    def fail() -> None:
        raise raised

    monkeypatch.setattr(desk, "collection", fail)
    answer = client.get("/api/collection")
    assert served.error(answer, status, embedded_table)["code"] == code
    assert "secret" not in answer.text


def test_without_its_model_a_table_is_searched_by_its_clips(embedded_table: Path, own_table: Path) -> None:
    import shutil

    other = own_table.parent / "other.lance"
    shutil.copytree(embedded_table, other)
    from seehear.search.service.app import App

    searcher = Searcher(other)
    searcher.columns = {
        m: type(c)(**{**vars(c), "model": "no-such-model", "slug": c.slug}) for m, c in searcher.columns.items()
    }
    with TestClient(App(searcher), base_url=served.HOME, raise_server_exceptions=False) as client:
        for _ in range(200):
            if client.get("/health/ready").status_code == 200:
                break
        facts = client.get("/api/collection").json()
        assert facts["uploads"] is False
        assert client.get("/api/clips").json()["total"] == 24
        answer = served.ask(client, served.wav())
        assert answer.status_code in (422, 503)
        served.error(answer, answer.status_code, other)


def test_the_service_never_writes_to_its_table(own_table: Path) -> None:
    def state() -> dict[str, tuple[int, int]]:
        return {
            str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in own_table.rglob("*") if path.is_file()
        }

    before = state()
    with served.service(own_table) as client:
        key = client.get("/api/clips").json()["clips"][0]["key"]
        for path in (f"/api/search?clip={key}", f"/api/clips/{key}/video", f"/api/clips/{key}/where", "/api/map"):
            assert client.get(path).status_code == 200
        assert served.ask(client, served.wav()).status_code == 200
    assert state() == before


def test_a_pinned_version_stays(own_table: Path) -> None:
    import lance

    with served.service(own_table) as client:
        before = client.get("/api/clips").json()
        lance.dataset(str(own_table)).delete("id = 'clip000'")
        assert client.get("/api/clips").json() == before
        key = before["clips"][0]["key"]
        assert client.get(f"/api/clips/{key}/sound").status_code == 200


@pytest.mark.full
def test_two_thousand_hostile_requests(embedded_table: Path) -> None:
    """Uploads with bytes changed or cut off, and questions made of scraps: refused or answered, and nothing stays."""
    drawn = np.random.default_rng(0)
    seeds = [served.wav(0.3), served.jpeg(), WHOLE["content"]]
    scraps = ["../", "%00", "'", '"><script>', "audio", "image", "0" * 16, "1e999", "-1", "\u202e", "SELECT 1", "", "k"]
    with served.service(embedded_table, Settings(searches_per_minute=10**6, requests_per_minute=10**6)) as client:
        for number in range(2000):
            if number % 2:
                data = bytearray(seeds[number % 3])
                for place in drawn.integers(0, len(data), 1 + number % 40):
                    data[place] = drawn.integers(256)
                fields = {
                    name: str(drawn.choice(scraps)) for name in drawn.choice(["k", "by", "use", "at", "label"], 2)
                }
                answer = served.ask(client, bytes(data[: drawn.integers(len(data) + 1)]), **fields)
            else:
                path = drawn.choice(["clips", "clips/" + "0" * 16, "search", "map", "clips/x/video", "session"])
                words = {
                    name: str(drawn.choice(scraps)) for name in drawn.choice(["clip", "query", "by", "k", "text"], 3)
                }
                answer = client.get(f"/api/{path}", params=words)
            if answer.status_code >= 400:
                served.error(answer, answer.status_code, embedded_table)
            assert answer.status_code < 500
        assert _left(client) == []
        assert served.ask(client, served.wav()).status_code == 200
