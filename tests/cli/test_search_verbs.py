"""`search` and `index` as a person and as a machine meet them."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from seehear.media import encode_jpeg, encode_wav, write_video
from seehear.metrics import paired_ranks
from seehear.search import EmbeddedTable
from tests.cli.calls import failure, machine, people
from tests.search import made_tables


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 clips of the world, embedded."""
    path = made_tables.pack(made_tables.world_clips(12, seed=3), tmp_path_factory.mktemp("table") / "clips.lance")
    made_tables.embed(path)
    return path


@pytest.fixture(scope="module")
def files(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound and a picture of clip 4, a clip, and files that cannot be used."""
    folder, opened = tmp_path_factory.mktemp("files"), EmbeddedTable(table)
    sound = opened.sound_of(4)
    assert sound is not None
    (folder / "four.wav").write_bytes(encode_wav(sound))
    (folder / "four.jpg").write_bytes(opened.frames_of(4)[1])
    pixels = np.random.default_rng(0).integers(0, 255, (16, 48, 48, 3)).astype(np.uint8)
    write_video(folder / "clip.mp4", pixels, 10, sound)
    (folder / "silent.wav").write_bytes(encode_wav(np.zeros(16_000, np.int16)))
    (folder / "empty.wav").touch()
    (folder / "words.jpg").write_text("these are words, not pictures\n" * 9)
    (folder / "half.jpg").write_bytes(encode_jpeg(pixels[0])[:900])
    return folder


@pytest.mark.parametrize(("by", "target"), [("audio", "image"), ("image", "audio")])
def test_ranks_are_those_of_the_retrieval_evaluation(by: str, target: str, table: Path, capsys) -> None:
    opened = EmbeddedTable(table)
    columns = opened.columns_of()
    one, other = (opened.vectors(columns[name]).values for name in (by, target))  # type: ignore[index]
    for row, rank in enumerate(paired_ranks(one, other)[0].tolist()):
        clip = opened.names[row]
        found = machine(capsys, "search", table, "--id", clip, "--by", by, "--for", target, "-k", 12)
        assert [hit["rank"] for hit in found["hits"] if hit["id"] == clip] == [rank]
        assert (found["by"], found["for"], found["index"], len(found["hits"])) == (by, target, None, 12)


def test_a_file_of_a_clip_finds_that_clip(table: Path, files: Path, capsys) -> None:
    for option, name in (("--audio", "four.wav"), ("--image", "four.jpg")):
        found = machine(capsys, "search", table, option, files / name, "-k", 2)
        assert (found["hits"][0]["id"], found["by"], found["for"]) == ("clip004", option[2:], option[2:])
        assert found["hits"][0]["score"] > 0.99
    across = machine(capsys, "search", table, "--audio", files / "four.wav", "--for", "image", "-k", 12)
    own = machine(capsys, "search", table, "--id", "clip004", "--by", "audio", "--for", "image", "-k", 12)
    assert [hit["id"] for hit in across["hits"]] == [hit["id"] for hit in own["hits"]]


def test_a_clip_asks_with_both_or_with_one(table: Path, files: Path, capsys) -> None:
    both = machine(capsys, "search", table, "--clip", files / "clip.mp4")
    assert (both["by"], both["for"], both["at"], len(both["hits"])) == ("audiovisual", "audiovisual", None, 10)
    heard = machine(capsys, "search", table, "--clip", files / "clip.mp4", "--by", "audio", "--for", "audio", "--at", 0)
    assert heard["at"] == 0
    assert heard["hits"][0]["id"] == "clip004"


def test_people_see_rank_score_file_and_second(table: Path, capsys) -> None:
    said = people(capsys, "search", table, "--id", "clip004", "-k", 3, "--split", "test")
    assert said.startswith("the nearest 3 of 12 clips in")
    assert said.splitlines()[1].split() == ["rank", "score", "clip", "file", "second", "labels", "caption"]
    assert "videos/file" in said
    assert "no clip meets" in people(capsys, "search", table, "--id", "clip004", "--where", "duration_seconds > 9")


def test_filters_of_the_command_line(table: Path, capsys) -> None:
    opened = EmbeddedTable(table)
    label = opened.labels[2][0]
    words = ("search", table, "--id", "clip004", "-k", 12, "--for", "image", "--by", "audio")
    found = machine(capsys, *words, "--label", label, "--label", opened.labels[7][0])["hits"]
    assert {hit["labels"][0] for hit in found} == {label, opened.labels[7][0]}
    found = machine(capsys, *words, "--source", "videos/file00[1]*", "--from-seconds", 0)["hits"]
    assert found == []  # brackets are letters
    found = machine(capsys, *words, "--source", "*001.mp4", "--to-seconds", 1)["hits"]
    assert [hit["id"] for hit in found] == ["clip002"]


def test_duplicates_are_listed_in_groups(table: Path, tmp_path: Path, capsys) -> None:
    import lance

    copied = Path(shutil.copytree(table, tmp_path / "twice.lance"))
    dataset = lance.dataset(str(copied))
    columns = {name: name for name in dataset.schema.names} | {"id": "concat(id, ' again')"}
    lance.write_dataset(dataset.to_table(columns=columns).cast(dataset.schema), str(copied), mode="append")
    lance.dataset(str(copied)).delete("id LIKE '% again' AND id <> 'clip003 again'")
    found = machine(capsys, "search", copied, "--duplicates", "--overlapping", "--threshold", 0.9999)
    assert [[clip["id"] for clip in group["clips"]] for group in found["groups"]] == [["clip003", "clip003 again"]]
    assert found["groups"][0]["pairs"][0]["score"] == pytest.approx(1)
    assert "2 clips in 1 groups" in people(
        capsys, "search", copied, "--duplicates", "--overlapping", "--threshold", 0.9999, "--for", "audio"
    )
    assert machine(capsys, "search", copied, "--duplicates", "--threshold", 0.9999)["groups"] == []


def test_few_clips_need_no_index_and_that_is_said(table: Path, capsys) -> None:
    report = machine(capsys, "index", table)
    assert [(one["column"], one["exact"], one["done"]) for one in report["indexes"]] == [
        (f"{modality}_avsiam_world", True, "none needed") for modality in ("audio", "image", "audiovisual")
    ]
    assert people(capsys, "index", table).count("all are compared") == 3


def test_an_index_is_built_measured_and_told(table: Path, tmp_path: Path, capsys) -> None:
    copied = shutil.copytree(table, tmp_path / "clips.lance")
    report = machine(capsys, "index", copied, "--kind", "ivf_hnsw_sq", "--queries", 5, "--recall", 0.8)
    assert all(one["measured"]["recall"] >= 0.8 and one["done"] == "built" for one in report["indexes"])
    assert "there already" in people(capsys, "index", copied, "--kind", "ivf_hnsw_sq", "--queries", 5, "--recall", 0.8)
    found = machine(capsys, "search", copied, "--id", "clip004", "-k", 3)
    assert found["index"]["kind"] == "ivf_hnsw_sq"
    assert machine(capsys, "search", copied, "--id", "clip004", "-k", 3, "--exact")["index"] is None
    assert [one["done"] for one in machine(capsys, "index", copied, "--kind", "exact")["indexes"]] == ["taken away"] * 3


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        ((), 2, "0 queries"),
        (("--audio", "a.wav", "--id", "clip004"), 2, "2 queries: --audio, --id"),
        (("--audio", "a.wav", "--duplicates"), 2, "2 queries"),
        (("--audio", "four.wav", "--by", "audio"), 2, "--by without a clip"),
        (("--id", "clip004", "--at", "1"), 2, "--at without a file"),
        (("--id", "clip04"), 2, "no clip 'clip04'"),
        (("--id", "clip004", "-k", "0"), 2, "-k 0; expected at least 1 hit"),
        (("--id", "clip004", "--model", "avsiam"), 2, "try: avsiam_world"),
        (("--id", "clip004", "--label", "bel"), 2, "no label 'bel'"),
        (("--id", "clip004", "--where", "seconds > 1"), 2, "No field named seconds"),
        (("--duplicates", "--threshold", "2"), 2, "a threshold of 2"),
        (("--audio", "none.wav"), 3, "unreadable path"),
        (("--audio", "silent.wav"), 3, "digital silence"),
        (("--audio", "empty.wav"), 3, "empty file"),
        (("--image", "words.jpg"), 3, "not a media file"),
        (("--image", "half.jpg"), 3, "truncated or damaged"),
        (("--image", "four.wav"), 3, "ask with its sound: --audio"),
        (("--audio", "four.jpg"), 3, "ask with its picture: --image"),
        (("--audio", "four.wav", "--at", "60"), 3, "second 60 of 1.6"),
    ],
)
def test_a_query_that_cannot_be_is_one_line(
    words: tuple[str, ...], status: int, says: str, table: Path, files: Path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(files)
    found, line = failure(capsys, "search", table, *words)
    assert (found, says in line) == (status, True), line


def test_a_table_without_vectors_names_the_cure(tmp_path: Path, capsys) -> None:
    bare = made_tables.pack(made_tables.world_clips(2), tmp_path / "bare.lance")
    for verb in (("search", bare, "--id", "clip000"), ("index", bare)):
        status, line = failure(capsys, *verb)
        assert status == 5
        assert "seehear embed MODEL" in line
    status, line = failure(capsys, "search", tmp_path / "none.lance", "--id", "x")
    assert (status, "there is no table" in line) == (5, True)


def test_the_name_of_a_file_asks_with_its_first_clip(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = (
        machine(capsys, "search", table, "--id", name, "--for", "image")["hits"]
        for name in ("videos/file002.mp4", "clip004")
    )
    assert one == other


def test_a_folder_in_the_place_of_its_table_is_not_named_to_be_written_to(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "first.mp4").write_bytes(b"mine")
    _, line = failure(capsys, "search", tmp_path / "clips", "--id", "x")
    assert f"is a folder, no table; try: seehear pack {tmp_path / 'clips'} {tmp_path / 'clips.lance'}" in line
    shutil.copytree(table, tmp_path / "clips.lance")
    _, line = failure(capsys, "search", tmp_path / "clips", "--id", "x")
    assert f"try: {tmp_path / 'clips.lance'}" in line
