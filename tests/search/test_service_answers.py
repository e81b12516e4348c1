"""What the service answers: searches equal the searcher's, media play and seek, the map, the interface."""

import io
import re
import time
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from seehear import clips
from seehear.media import decode_jpeg, probe
from seehear.search.query import query_of_clip, query_of_file
from seehear.search.searching import Searcher
from seehear.search.service.catalogue import Catalogue
from tests.search import made_tables, served


@pytest.fixture(scope="module")
def client(embedded_table: Path):
    with served.service(embedded_table) as found:
        yield found


@pytest.fixture(scope="module")
def searcher(embedded_table: Path) -> Searcher:
    return Searcher(embedded_table, encoder=made_tables.encoder())


def _keys(searcher: Searcher) -> dict[str, str]:
    catalogue = Catalogue(searcher)
    return {name: catalogue.key(row) for row, name in enumerate(searcher.table.names)}


def test_the_collection_is_described(client: TestClient, searcher: Searcher) -> None:
    facts = client.get("/api/collection").json()
    assert facts["clips"] == 24
    assert facts["modalities"] == ["audio", "image", "audiovisual"]
    assert (facts["with_sound"], facts["with_pictures"]) == (23, 23)
    assert facts["model"] == made_tables.MODEL
    assert sum(label["clips"] for label in facts["labels"]) == sum(map(len, searcher.table.labels))
    assert facts["uploads"]


@pytest.mark.parametrize("by", ["audio", "image"])
@pytest.mark.parametrize("target", ["audio", "image", "audiovisual"])
def test_a_clip_finds_what_the_searcher_finds(client: TestClient, searcher: Searcher, by: str, target: str) -> None:
    keys, name = _keys(searcher), "clip004"
    asked = {"clip": keys[name], "by": by, "target": target, "k": 10}
    answer = client.get("/api/search", params=asked).json()
    query = next(one for one in query_of_clip(searcher.table, name) if one.modality == by)
    expected = searcher.search(query, target, 10)  # pyrefly: ignore[bad-argument-type]
    assert [(hit["key"], hit["rank"]) for hit in answer["hits"]] == [(keys[hit.id], hit.rank) for hit in expected]
    assert [hit["score"] for hit in answer["hits"]] == pytest.approx([hit.score for hit in expected], abs=1e-12)
    assert answer["hits"][0]["start_seconds"] == expected[0].start_seconds
    again = client.get("/api/search", params={"query": answer["query"], "by": by, "target": target, "k": 10}).json()
    assert again["hits"] == answer["hits"]


@pytest.mark.parametrize(("data", "offers"), [(served.wav(2.0), ["audio"]), (served.jpeg(), ["image"])])
def test_a_file_finds_what_the_searcher_finds(
    client: TestClient, searcher: Searcher, data: bytes, offers: list[str]
) -> None:
    answer = served.ask(client, data, k=5).json()
    query = query_of_file(made_tables.encoder(), data, "clip")[0]
    assert answer["offers"] == offers
    keys = _keys(searcher)
    assert [hit["key"] for hit in answer["hits"]] == [keys[hit.id] for hit in searcher.search(query, query.modality, 5)]


def test_filters_keep_to_a_label_and_a_split(client: TestClient, searcher: Searcher) -> None:
    keys = _keys(searcher)
    label = searcher.table.labels[searcher.table.splits.index("test")][0]
    hits = client.get("/api/search", params={"clip": keys["clip000"], "label": label, "split": "test"}).json()["hits"]
    wanted = {
        keys[name]
        for name, labels, split in zip(searcher.table.names, searcher.table.labels, searcher.table.splits, strict=True)
        if label in labels and split == "test"
    }
    assert hits
    assert {hit["key"] for hit in hits} <= wanted
    answer = client.get("/api/clips", params={"label": label, "split": "test"}).json()
    assert answer["total"] == len(wanted)


def test_the_gallery_has_pages_and_words(client: TestClient) -> None:
    whole = client.get("/api/clips", params={"limit": 24}).json()
    pages = [client.get("/api/clips", params={"limit": 10, "offset": place}).json() for place in (0, 10, 20)]
    assert [clip for page in pages for clip in page["clips"]] == whole["clips"]
    assert client.get("/api/clips", params={"text": "CLIP007"}).json()["total"] == 1
    assert client.get("/api/clips", params={"text": "clip007 nowhere"}).json() == {"total": 0, "offset": 0, "clips": []}


def test_a_long_file_is_asked_from_a_second_of_it(client: TestClient) -> None:
    both = served.wav(3.2, 300.0) + served.wav(3.2, 3000.0)[44:]
    sizes = (len(both) - 8).to_bytes(4, "little"), (len(both) - 44).to_bytes(4, "little")
    both = both[:4] + sizes[0] + both[8:40] + sizes[1] + both[44:]
    first, last = (served.ask(client, both, at=at).json() for at in (0, 3.2))
    assert (first["at"], last["at"]) == (0.0, 3.2)
    assert [hit["score"] for hit in first["hits"]] != [hit["score"] for hit in last["hits"]]


def test_a_thumbnail_is_the_middle_frame(client: TestClient, searcher: Searcher) -> None:
    key = _keys(searcher)["clip003"]
    answer = client.get(f"/api/clips/{key}/thumbnail")
    stored = searcher.table.frames_of(3)
    assert answer.headers["content-type"] == "image/jpeg"
    assert np.array_equal(decode_jpeg(answer.content), decode_jpeg(stored[len(stored) // 2]))


def test_a_sound_is_the_stored_one(client: TestClient, searcher: Searcher) -> None:
    answer = client.get(f"/api/clips/{_keys(searcher)['clip003']}/sound")
    stored = searcher.table.sound_of(3)
    assert stored is not None
    assert answer.headers["content-type"] == "audio/wav"
    assert np.array_equal(np.frombuffer(answer.content[44:], "<i2"), stored)


def test_a_video_is_made_of_frames_and_sound(client: TestClient, searcher: Searcher, tmp_path: Path) -> None:
    answer = client.get(f"/api/clips/{_keys(searcher)['clip003']}/video")
    assert answer.headers["content-type"] == "video/mp4"
    (tmp_path / "clip.mp4").write_bytes(answer.content)
    info = probe(tmp_path / "clip.mp4")
    assert info.audio is not None
    assert info.duration_seconds == pytest.approx(searcher.table.duration_seconds[3], abs=0.15)


def test_ranges_join_to_the_whole(client: TestClient, searcher: Searcher) -> None:
    url = f"/api/clips/{_keys(searcher)['clip003']}/sound"
    whole = client.get(url)
    size = len(whole.content)
    for asked, (first, end) in {
        "bytes=0-99": (0, 100),
        "bytes=100-": (100, size),
        "bytes=-7": (size - 7, size),
        f"bytes=5-{size + 9}": (5, size),
    }.items():
        part = client.get(url, headers={"Range": asked})
        assert part.status_code == 206
        assert part.headers["content-range"] == f"bytes {first}-{end - 1}/{size}"
        assert part.content == whole.content[first:end]
    assert client.get(url, headers={"Range": f"bytes={size}-"}).status_code == 416
    assert client.get(url, headers={"Range": "bytes=-"}).status_code == 416
    assert client.get(url, headers={"Range": "bytes=0-1,4-5"}).content == whole.content
    assert client.get(url, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304
    assert client.get(url, headers={"Range": "bytes=0-9", "If-Range": '"other"'}).status_code == 200


def test_the_map_holds_every_clip_that_has_a_vector(client: TestClient) -> None:
    for of, count in (("", 22), ("audio", 23), ("image", 23)):
        for _ in range(300):
            found = client.get("/api/map", params={"of": of}).json()
            if found["state"] != "computing":
                break
            time.sleep(0.05)
        assert found["state"] == "ready"
        assert len(found["points"]) == len(set(found["keys"])) == len(found["labels"]) == count
        points = np.array(found["points"])
        assert points.min() >= 0
        assert points.max() <= 1


def test_where_a_sound_is_seen(client: TestClient, searcher: Searcher) -> None:
    keys = _keys(searcher)
    answer = served.ask(client, served.wav()).json()
    found = client.get(f"/api/clips/{keys['clip005']}/where", params={"query": answer["query"]}).json()
    values = np.array(found["values"])
    assert values.shape == (found["rows"], found["columns"])
    assert np.abs(values).max() <= 1
    own = client.get(f"/api/clips/{keys['clip005']}/where").json()
    assert own["values"] != found["values"]


def test_the_page_and_its_interface_load_nothing_from_elsewhere(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    assert {"/api/search", "/api/clips", "/api/map", "/health/live"} <= set(described["paths"])
    seen, waiting = set(), ["/", "/docs"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        text = answer.text.replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://(?!\$)", text), path
        waiting += re.findall(r'(?:src|href)="(/[a-z_]+\.[a-z]+)"', text) + re.findall(r'from "(/[a-z_]+\.js)"', text)
        assert "innerHTML" not in text
        assert not re.search(r"<script>|style=\"|onclick=", text)
    assert {"/app.js", "/style.css", "/map.js", "/docs.js", "/theme.js", "/recorder.js"} <= seen


def test_a_clip_without_pictures_has_sound_alone(client: TestClient, searcher: Searcher) -> None:
    key = _keys(searcher)[made_tables.ONLY_SOUND]
    assert client.get(f"/api/clips/{key}").json()["has_pictures"] is False
    assert client.get(f"/api/clips/{key}/sound").content[:4] == b"RIFF"
    for what in ("thumbnail", "video", "where"):
        assert client.get(f"/api/clips/{key}/{what}").json()["error"]["code"] == "no-picture"


def test_a_table_that_keeps_its_video_gives_it(tmp_path: Path, client: TestClient, searcher: Searcher) -> None:
    from seehear.search.service.shown import Shown

    class Keeping:
        def __init__(self, video: bytes):
            self.video = video

        def __getattr__(self, name: str):
            return getattr(searcher.table, name)

        def video_of(self, row: int) -> bytes:
            return self.video

    made = client.get(f"/api/clips/{_keys(searcher)['clip003']}/video").content
    for number, (video, kind, kept) in enumerate(
        [
            (made, "video/mp4", True),
            (b"RIFF....AVI LIST" + bytes(99), "video/mp4", False),
            (served.jpeg(), "video/mp4", False),
        ]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        shown = Shown(Keeping(video), folder, 2**20)  # pyrefly: ignore[bad-argument-type]
        assert shown.video(3)[1] == kind
        assert (shown.video(3)[0] == video) is kept
        assert shown.video(3, made=True)[0] != b""


def test_made_videos_stay_within_their_place(tmp_path: Path, searcher: Searcher) -> None:
    from seehear.search.service.shown import Shown

    size = len(Shown(searcher.table, tmp_path, 2**30).video(0)[0])
    for path in tmp_path.iterdir():
        path.unlink()
    shown = Shown(searcher.table, tmp_path, 3 * size)
    for row in range(8):
        shown.video(row)
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 3 * size
    assert list(tmp_path.iterdir())
    assert io.BytesIO(shown.video(7)[0]).read(8)[4:] == b"ftyp"


def test_real_clips_are_served_and_found_by_their_files(real_clips: Path, tmp_path: Path) -> None:
    """Sound only, pictures only, one frame, silence: what there is plays, and each file finds a clip of itself."""
    table = tmp_path / "real.lance"
    clips.pack(real_clips, table, clip_seconds=5.0, modality="any", workers=1)
    made_tables.embed(table)
    with served.service(table) as client:
        for clip in client.get("/api/clips").json()["clips"]:
            for what, there in {"thumbnail": "has_pictures", "video": "has_pictures", "sound": "has_sound"}.items():
                assert client.get(f"/api/clips/{clip['key']}/{what}").status_code == (200 if clip[there] else 404)
        files = {clip["file"] for clip in client.get("/api/clips").json()["clips"]}
        for name in files:
            answer = served.ask(client, next(real_clips.rglob(name)).read_bytes(), k=3)
            assert name in [hit["file"] for hit in answer.json()["hits"]]
