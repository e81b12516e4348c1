"""Declared sources, and fetching them from a server of this machine: whole, checked, never over another file."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from seehear.errors import DataError, StorageError, UsageError
from seehear.weights.released.fetching import fetch
from seehear.weights.released.layouts import LAYOUTS
from seehear.weights.released.source import Source
from seehear.weights.released.sources import SOURCES, source

CONTENT = bytes(range(256)) * 8192  # two pieces of a stream
SHA, MD5 = hashlib.sha256(CONTENT).hexdigest(), hashlib.md5(CONTENT).hexdigest()


class Answers(BaseHTTPRequestHandler):
    """`/whole` is the content, `/half` breaks off, `/page` is a web page, anything else is missing."""

    pages: ClassVar[dict[str, bytes]] = {"/whole.pth": CONTENT, "/half.pth": CONTENT, "/page.pth": b"<!doctype html>"}

    def do_GET(self) -> None:
        body = self.pages.get(self.path.partition("?")[0])
        if body is None:
            self.send_error(404, "Not Found")
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if self.path == "/half.pth" else body)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answers) as found:
        thread = threading.Thread(target=found.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{found.server_port}"
        found.shutdown()
        thread.join()


def declared(url: str, **others: Any) -> Source:
    return Source("a-file", "mae", "what", "https://example.org/page", "MIT", url=url, **others)


# ------------------------------------------------------------------------------------------------- declarations
@pytest.mark.parametrize("one", SOURCES.values(), ids=SOURCES)
def test_sources_say_what_is_needed(one: Source):
    assert one.layout in (*LAYOUTS, "mavil")
    assert all((one.what, one.licence))
    assert one.page.startswith("https://")
    assert one.url.startswith("https://") if one.url else one.note
    assert one.digest.partition(":")[0] in ("", "md5", "sha256")
    assert Path(one.filename).name == one.filename
    assert one.filename.endswith((".pth", ".safetensors"))


def test_all_layouts_have_a_source_but_the_one_that_was_not_released():
    assert set(LAYOUTS) - {one.layout for one in SOURCES.values()} == {"avsiam-finetuned"}
    assert len({one.filename for one in SOURCES.values()}) == len(SOURCES)
    assert len({one.url for one in SOURCES.values() if one.url}) == sum(bool(one.url) for one in SOURCES.values())


def test_an_unknown_source_names_the_nearest():
    with pytest.raises(UsageError, match="try: avsiam-base"):
        source("avsiam-bas")


# ------------------------------------------------------------------------------------------------- fetching
@pytest.mark.parametrize("digest", ["", f"sha256:{SHA}", f"sha256:{SHA[:8]}", f"md5:{MD5[:6]}"])
def test_a_file_comes_whole(digest: str, server: str, tmp_path: Path):
    told: list[tuple[int, int | None]] = []
    one = declared(f"{server}/whole.pth?dl=1", digest=digest, size=len(CONTENT))
    path = fetch(one, tmp_path / "new", lambda done, total: told.append((done, total)))
    assert path == tmp_path / "new" / "a-file.pth"
    assert path.read_bytes() == CONTENT
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (len(CONTENT), len(CONTENT))


@pytest.mark.parametrize(
    ("page", "others", "says", "kind"),
    [
        ("half", {}, "bytes of a-file came; expected 2097152", StorageError),
        ("whole", {"size": 5}, "expected 5", StorageError),
        ("whole", {"digest": "sha256:0123"}, f"has the hash {SHA[:4]}; expected sha256:0123", StorageError),
        ("none", {}, "answers 404.*by hand from https://example.org/page", StorageError),
        ("page", {}, "is a web page", DataError),
    ],
)
def test_what_goes_wrong_leaves_nothing(
    page: str, others: dict[str, Any], says: str, kind: type[Exception], server: str, tmp_path: Path
):
    with pytest.raises(kind, match=says):
        fetch(declared(f"{server}/{page}.pth", **others), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_network_is_one_line(tmp_path: Path):
    with HTTPServer(("127.0.0.1", 0), Answers) as gone:
        address = f"http://127.0.0.1:{gone.server_port}/whole.pth"
    with pytest.raises(StorageError, match=r"127\.0\.0\.1 cannot be reached .*expected a network") as caught:
        fetch(declared(address), tmp_path)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(server: str, tmp_path: Path):
    (tmp_path / "a-file.pth").write_bytes(b"mine")
    with pytest.raises(StorageError, match="exists"):
        fetch(declared(f"{server}/whole.pth"), tmp_path)
    assert (tmp_path / "a-file.pth").read_bytes() == b"mine"


def test_sources_without_a_link_are_fetched_by_hand(tmp_path: Path):
    with pytest.raises(UsageError, match=r"by hand; try: see https://github\.com/facebookresearch/AudioMAE"):
        fetch(source("audiomae"), tmp_path)
    with pytest.raises(UsageError, match="a link of https"):
        fetch(declared(f"file://{tmp_path}/x.pth"), tmp_path)
