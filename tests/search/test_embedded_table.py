"""Opening an embedded table: its clips, its models, its vectors, what can be shown, and what is refused."""

import os
import shutil
from pathlib import Path

import lance
import numpy as np
import pytest

from seehear import clips
from seehear.errors import DataError, StorageError, UsageError
from seehear.media import decode_jpeg
from seehear.search import EmbeddedTable
from tests.search import made_tables


@pytest.fixture(scope="module")
def table(embedded_table: Path) -> EmbeddedTable:
    return EmbeddedTable(embedded_table)


def test_what_is_known_of_clips_is_what_the_clip_table_says(table: EmbeddedTable, embedded_table: Path) -> None:
    known = clips.open(embedded_table)
    assert len(table) == len(known) == 24
    assert (table.names, table.sources, table.splits) == (known.names, known.sources, known.splits)
    assert (table.labels, table.captions, table.label_names) == (known.labels, known.captions, known.label_names)
    np.testing.assert_array_equal(table.start_seconds, known.start_seconds)
    np.testing.assert_array_equal(table.has_audio, known.has_audio)
    assert [table.row(name) for name in table.names] == list(range(24))
    assert [table.names[row] for row in np.argsort(table.name_order)] == sorted(table.names)
    assert (table.source_codes[::2] == table.source_codes[1::2]).all()
    assert len(set(table.source_codes.tolist())) == 12


def test_vectors_are_unit_and_absent_where_the_clip_lacks_them(table: EmbeddedTable) -> None:
    columns = table.columns_of()
    assert list(columns) == ["audio", "image", "audiovisual"]
    silent, blind = table.row(made_tables.ONLY_PICTURE), table.row(made_tables.ONLY_SOUND)
    absent = {"audio": {silent}, "image": {blind}, "audiovisual": {silent, blind}}
    for modality, column in columns.items():
        vectors = table.vectors(column)
        assert set(range(24)) - set(vectors.rows.tolist()) == absent[modality]
        assert table.count(column) == len(vectors) == 24 - len(absent[modality])
        np.testing.assert_allclose(np.linalg.norm(vectors.values, axis=1), 1.0, atol=1e-5)
        stored = lance.dataset(table.uri).to_table(columns=[column.column])[column.column].to_pylist()
        for row in range(24):
            mine = vectors.of(row)
            assert (mine is None) == (stored[row] is None)
            assert mine is None or mine.tolist() == stored[row]


def test_some_vectors_are_read_alone_as_they_are_read_together(embedded_table: Path) -> None:
    rows = np.array([0, 3, 21, 22, 23])
    fresh, loaded = EmbeddedTable(embedded_table), EmbeddedTable(embedded_table)
    column = fresh.columns_of()["image"]
    loaded.vectors(column)
    one, other = fresh.vectors_at(column, rows), loaded.vectors_at(column, rows)
    assert one.rows.tolist() == other.rows.tolist() == [0, 3, 21, 23]
    np.testing.assert_array_equal(one.values, other.values)


def test_pictures_and_sound_of_a_clip_can_be_shown(table: EmbeddedTable, embedded_table: Path) -> None:
    frames, sound = table.frames_of(3), table.sound_of(3)
    assert [decode_jpeg(frame).shape for frame in frames] == [(48, 48, 3)] * 2
    assert sound is not None
    assert (sound.dtype, len(sound)) == (np.int16, round(16_000 * table.duration_seconds[3]))
    assert table.frames_of(table.row(made_tables.ONLY_SOUND)) == []
    assert table.sound_of(table.row(made_tables.ONLY_PICTURE)) is None
    assert table.video_of(3) is None  # this table keeps none


def test_the_video_of_a_clip_is_the_file_that_was_kept(tmp_path: Path) -> None:
    from seehear.media import probe, write_video

    (tmp_path / "media").mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (10, 32, 32, 3)).astype(np.uint8)
    write_video(tmp_path / "media" / "a.mp4", pixels, 10, (8000 * np.sin(np.arange(16_000) / 9)).astype(np.int16))
    clips.pack(tmp_path / "media", tmp_path / "a.lance", frames=2, size=32, workers=1, keep_video=True)
    made_tables.write(tmp_path / "a.lance", {"audio": [np.eye(4)[0]]}, "w")
    video = EmbeddedTable(tmp_path / "a.lance").video_of(0)
    assert video is not None
    assert probe(video).kind == "video"


def test_a_clip_that_is_not_there_is_named_with_the_nearest(table: EmbeddedTable) -> None:
    with pytest.raises(UsageError, match=r"no clip 'clip0O3'.*try: clip0.3"):
        table.row("clip0O3")
    with pytest.raises(UsageError, match="an id such as clip000"):
        table.row("???")


def test_a_table_without_vectors_names_the_cure(packed_table: Path) -> None:
    with pytest.raises(StorageError, match=r"holds no vectors.*try: seehear embed MODEL .*clips.lance"):
        EmbeddedTable(packed_table)


def test_of_several_models_one_must_be_named(own_table: Path) -> None:
    made_tables.write(own_table, {"audio": [np.eye(4)[i % 4] for i in range(24)]}, "x" * 16, "other-model")
    table = EmbeddedTable(own_table)
    assert table.models == ("avsiam_world", "other_model")
    with pytest.raises(UsageError, match=r"2 models: avsiam_world, other_model.*--model avsiam_world"):
        table.columns_of()
    assert [column.width for column in table.columns_of("other-model").values()] == [4]
    assert table.columns_of("other_model") == table.columns_of("other-model")
    with pytest.raises(UsageError, match=r"'avsiam_wrld'.*try: avsiam_world"):
        table.columns_of("avsiam_wrld")


def test_a_version_stays_what_it_is(own_table: Path) -> None:
    before = EmbeddedTable(own_table)
    lance.dataset(str(own_table)).drop_columns(["image_avsiam_world"])
    assert len(before.vectors(before.columns_of()["image"])) == 23
    assert list(before.newest().columns_of()) == ["audio", "audiovisual"]
    assert before.newest().version > before.version


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="there is no table"):
        EmbeddedTable(tmp_path / "none.lance")
    (tmp_path / "text.lance").write_text("words")
    with pytest.raises(StorageError, match="there is no table"):
        EmbeddedTable(tmp_path / "text.lance")


@pytest.mark.parametrize("part", ["data", "_versions"])
def test_a_table_that_was_cut_short_is_one_error(part: str, own_table: Path) -> None:
    for file in sorted((own_table / part).iterdir()):
        os.truncate(file, file.stat().st_size // 2)
    with pytest.raises(StorageError):
        read_all(own_table)


def read_all(path: Path) -> None:
    table = EmbeddedTable(path)
    table.vectors(table.columns_of()["audio"])


def test_vectors_that_are_no_numbers_are_refused(own_table: Path) -> None:
    rows = [np.full(4, np.nan if i == 5 else 0.5) for i in range(24)]
    made_tables.write(own_table, {"image": rows}, "x" * 16, "broken")
    table = EmbeddedTable(own_table)
    with pytest.raises(StorageError, match=r"image_broken holds NaN.*seehear embed broken .* --overwrite"):
        table.vectors(table.columns_of("broken")["image"])


def test_vectors_of_other_lengths_are_normalised(own_table: Path) -> None:
    values = np.random.default_rng(0).normal(size=(24, 4))
    made_tables.write(own_table, {"image": list(values)}, "x" * 16, "long")
    table = EmbeddedTable(own_table)
    read = table.vectors(table.columns_of("long")["image"]).values
    np.testing.assert_allclose(read, values / np.linalg.norm(values, axis=1, keepdims=True), atol=1e-6)


def test_an_empty_table_is_refused(packed_table: Path, tmp_path: Path) -> None:
    shutil.copytree(packed_table, tmp_path / "empty.lance")
    lance.dataset(str(tmp_path / "empty.lance")).delete("true")
    with pytest.raises(DataError, match="has no rows"):
        EmbeddedTable(tmp_path / "empty.lance")


def test_rows_keep_their_places_after_others_were_deleted(own_table: Path) -> None:
    lance.dataset(str(own_table)).delete("id IN ('clip001', 'clip010')")
    table = EmbeddedTable(own_table)
    assert len(table) == 22
    sound = table.sound_of(table.row("clip011"))
    whole = clips.open(own_table)
    from seehear.contracts import AudioNeed, Needs

    np.testing.assert_array_equal(sound, whole.read(table.row("clip011"), Needs(AudioNeed(1e6))).audio)
    np.testing.assert_array_equal(table.rows_at(table.addresses[[3, 9]]), [3, 9])
    assert table.names[table.row("clip011")] == "clip011"
