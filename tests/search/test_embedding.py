"""Embedding a collection: the vectors of the evaluation, restartable, nothing lost, nothing double, clear refusals."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa
import pytest
import torch

from seehear import clips, media, tasks
from seehear.clips.schema import Row, schema, to_table
from seehear.contracts import Batch, Features
from seehear.errors import DataError, StorageError, UsageError
from seehear.methods.avsiam import AVSiam
from seehear.search import embedding
from seehear.search.alone import alone
from seehear.search.collecting import Packing, beside
from seehear.search.columns import embedded_in
from seehear.search.embedding import EmbedProgress, Settings, embed
from seehear.search.gathering import Gathered, Work, identity_of_rows
from seehear.search.offered import offered
from seehear.weights import Encoder
from tests.search.embedding_toys import COLUMNS, noise, table, tiny, vectors


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return tiny()


@pytest.fixture(autouse=True)
def small_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "_COMMIT_ROWS", 8)
    monkeypatch.setattr(embedding, "_PART", 4)


@pytest.fixture(scope="module")
def whole(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table that was embedded without a stop."""
    path = table(tmp_path_factory.mktemp("whole") / "t.lance")
    embed(encoder, path)
    return path


class Stopped(Exception):  # noqa: N818
    """What a test raises to stop an embedding."""


def stop_at(count: int) -> Callable[[EmbedProgress], None]:
    def progress(now: EmbedProgress) -> None:
        if now.done >= count:
            raise Stopped

    return progress


def left_beside(path: Path) -> list[str]:
    return sorted(p.name for p in path.parent.iterdir() if p != path and not p.name.endswith(".skipped.json"))


# ------------------------------------------------------------------------------------------------ the right vectors
def test_the_vectors_are_those_of_the_evaluation(encoder: Encoder, whole: Path):
    source = clips.open(whole)
    expected = tasks.embed(encoder.method, clips.in_order(source, encoder.method.needs), names=None)
    places = {int(number): row for row, number in enumerate(source.ids)}
    found = vectors(whole)
    for modality, ids, values in (
        ("audio", expected.sample_ids[expected.has_audio], expected.audio[expected.has_audio]),
        ("image", expected.sample_ids[expected.has_image], expected.image[expected.has_image]),
    ):
        for number, vector in zip(ids, values, strict=True):
            assert np.array_equal(np.float32(found[places[int(number)]][f"{modality}_tiny"]), vector)


def test_rows_stay_as_they_are_and_absent_modalities_are_null(encoder: Encoder, whole: Path, tmp_path: Path):
    plain = table(tmp_path / "plain.lance")
    before, after = lance.dataset(plain).to_table(), lance.dataset(whole).to_table()
    assert after.select(before.column_names).equals(before)
    assert clips.open(whole).fingerprint == clips.open(plain).fingerprint
    source = clips.open(whole)
    has = {"audio": source.has_audio, "image": source.has_image, "audiovisual": source.has_audio & source.has_image}
    for modality, present in has.items():
        column = after[f"{modality}_tiny"].to_pylist()
        assert [vector is not None for vector in column] == present.tolist()
        lengths = [np.linalg.norm(vector) for vector in column if vector is not None]
        np.testing.assert_allclose(lengths, 1.0, atol=1e-6)
    said = {column.modality: column for column in embedded_in(lance.dataset(whole).schema)}
    assert set(said) == set(has)
    assert said["audio"].weights == encoder.about.weights
    assert (said["audio"].seconds, said["audio"].width, said["audio"].windows) == (0.4, 16, "first")
    assert left_beside(whole) == []


def test_all_columns_come_in_one_commit(encoder: Encoder, tmp_path: Path):
    path = table(tmp_path / "t.lance")
    before = lance.dataset(path).version
    assert embed(encoder, path).version == before + 1


def test_digital_silence_has_no_vector_of_sound_and_is_counted(encoder: Encoder, tmp_path: Path):
    made = [noise(number) for number in (0, 1, 2, 5, 6, 7)]  # all have both
    for clip in made[:2]:
        clip.audio = np.zeros_like(clip.audio)
    clips.pack(clips.MemoryClips(made), tmp_path / "t.lance", size=16, frames=3, modality="any")
    report = embed(encoder, tmp_path / "t.lance")
    assert (report.silent, report.vectors) == (2, {"audio": 4, "image": 6, "audiovisual": 4})
    assert any(note.startswith("2 clips are digital silence") for note in report.notes)
    found = {row["id"]: row for row in vectors(tmp_path / "t.lance")}
    assert [found[clip.id]["audio_tiny"] is None for clip in made] == [True, True, False, False, False, False]


def test_a_manifest_is_packed_beside_its_folder(tmp_path: Path):
    (tmp_path / "media").mkdir()
    manifest = tmp_path / "media" / "manifest.csv"
    manifest.write_text("file\n")
    assert beside(manifest) == beside(manifest.parent) == tmp_path / "media.lance"


def test_clips_that_are_longer_are_heard_as_asked(encoder: Encoder, tmp_path: Path):
    path = table(tmp_path / "t.lance", 12, seconds=1.0)
    first = embed(encoder, path)
    mean = embed(encoder, path, Settings(name="all", windows="mean"))
    assert first.longer == 10
    assert "first 0.4 s were heard" in first.notes[0]
    assert mean.notes == ()
    source = clips.open(path)
    heard = [i for i in range(12) if source.has_audio[i]]
    sound = torch.stack([torch.from_numpy(noise(i, 1.0).audio / np.float32(32_768)) for i in heard])
    windows = [encoder.encode_audio(sound[:, s : s + 6_400], 16_000).embedding for s in (0, 6_400, 12_800)]
    expected = torch.nn.functional.normalize(torch.stack(windows).mean(dim=0), dim=1)
    rows = vectors(path, ["audio_tiny", "audio_all", "image_tiny", "image_all"])
    torch.testing.assert_close(torch.tensor([rows[i]["audio_tiny"] for i in heard]), windows[0], atol=1e-6, rtol=0)
    torch.testing.assert_close(torch.tensor([rows[i]["audio_all"] for i in heard]), expected, atol=1e-6, rtol=0)
    silent = [i for i in range(12) if not source.has_audio[i]]
    assert all(rows[i]["image_tiny"] == rows[i]["image_all"] for i in silent)


def test_some_modalities_only(encoder: Encoder, tmp_path: Path):
    path = table(tmp_path / "t.lance", 8)
    report = embed(encoder, path, Settings(modalities=("image",)))
    assert report.columns == {"image": "image_tiny"}
    assert [c.column for c in embedded_in(lance.dataset(path).schema)] == ["image_tiny"]
    with pytest.raises(UsageError, match="modalities were image and are audio"):
        embed(encoder, path, Settings(modalities=("audio",)))


class OnlyTogether(AVSiam):
    """Cannot embed one modality alone."""

    def encode(self, batch: Batch, with_layers: bool = False) -> dict[str, Features]:
        if "waveform" not in batch or "frames" not in batch:
            raise UsageError("one alone")
        return super().encode(batch, with_layers)


def test_a_model_that_needs_both_embeds_clips_that_have_both(encoder: Encoder, tmp_path: Path):
    both = OnlyTogether(encoder.method.config)
    both.load_state_dict(encoder.method.state_dict())
    path = table(tmp_path / "t.lance", 12)
    report = embed(Encoder(both, about=encoder.about), path)
    assert report.columns == {"audiovisual": "audiovisual_tiny"}
    source = clips.open(path)
    has = (source.has_audio & source.has_image).tolist()
    assert [row["audiovisual_tiny"] is not None for row in vectors(path, ["audiovisual_tiny"])] == has


# ----------------------------------------------------------------------------------------------- stops and restarts
class Counting(AVSiam):
    """Remembers which clips went through it."""

    seen: list[int]

    def encode(self, batch: Batch, with_layers: bool = False) -> dict[str, Features]:
        self.seen += batch.sample_ids.tolist()
        return super().encode(batch, with_layers)


def test_a_stopped_embedding_goes_on_and_does_nothing_twice(encoder: Encoder, whole: Path, tmp_path: Path):
    path = table(tmp_path / "t.lance")
    for stop in (10, 30, 50):
        with pytest.raises(Stopped):
            embed(encoder, path, progress=stop_at(stop))
        assert "audio_tiny" not in lance.dataset(path).schema.names
    there = lance.dataset(f"{path}.tiny.vectors").count_rows()
    assert there >= 40
    counting = Counting(encoder.method.config)
    counting.load_state_dict(encoder.method.state_dict())
    again = Encoder(counting, about=encoder.about)
    counting.seen = []
    report = embed(again, path)
    assert (report.resumed, report.embedded) == (there, 60 - there)
    assert set(counting.seen) - {0} == set(range(there, 59))  # 0: what asks for the widths; clip 59 has nothing
    assert vectors(path) == vectors(whole)
    assert left_beside(path) == []


def test_ctrl_c_keeps_what_is_ready(encoder: Encoder, tmp_path: Path):
    def interrupt(now: EmbedProgress) -> None:
        if now.done == 4:
            raise KeyboardInterrupt

    path = table(tmp_path / "t.lance", 20)
    with pytest.raises(KeyboardInterrupt):
        embed(encoder, path, progress=interrupt)
    assert embed(encoder, path).resumed == 4


@pytest.mark.parametrize("at", ["before the commit", "after the commit"])
def test_a_stop_around_the_last_commit(encoder: Encoder, whole: Path, tmp_path: Path, monkeypatch, at: str):
    path = table(tmp_path / "t.lance")
    place = (Gathered, "in_order") if at == "before the commit" else (Gathered, "remove")

    def stop(*_: object) -> None:
        raise Stopped

    with monkeypatch.context() as patched:
        patched.setattr(*place, stop)
        with pytest.raises(Stopped):
            embed(encoder, path)
    assert Path(f"{path}.tiny.vectors").exists()
    report = embed(encoder, path)
    assert (report.embedded, report.already) == (0, at == "after the commit")
    assert vectors(path) == vectors(whole)
    assert left_beside(path) == []


class Killed:
    """Embeds in processes that are killed."""

    def __init__(self) -> None:
        self.server = subprocess.Popen(
            [sys.executable, "-m", "tests.search.embedding_toys"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    def close(self) -> None:
        self.server.communicate(timeout=60)

    def __call__(self, path: Path, clips_done: int, later_seconds: float) -> bool:
        """Embed, and kill it so long after it says that so many clips are done; whether that came before its end."""
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        print(path, file=self.server.stdin, flush=True)
        process = 0
        for line in self.server.stdout:
            word, _, number = line.strip().rpartition(" ")
            if word == "over":
                assert int(number) in (0, signal.SIGKILL)
                return int(number) == signal.SIGKILL
            if word == "process":
                process = int(number)
            elif int(number) >= clips_done:
                time.sleep(later_seconds)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
        raise AssertionError("the server ended")


@pytest.fixture
def kill_at() -> Iterator[Killed]:
    killed = Killed()
    yield killed
    killed.close()


def _clips_there(path: Path) -> int:
    """Clips whose vectors are safe; none of them twice."""
    beside = Path(f"{path}.tiny.vectors")
    if not any((beside / "_versions").glob("*.manifest")):
        return 0
    rows = lance.dataset(beside).to_table(columns=["row"])["row"].to_pylist()
    assert len(set(rows)) == len(rows)
    return len(rows)


def _killed_at_random(path: Path, kills: int, whole: Path, encoder: Encoder, kill_at: Killed) -> None:
    """Kills spread over the whole of it, the last ones around the last commit; begun anew where one came too late."""
    rng, total, there, killed = random.Random(kills), lance.dataset(path).count_rows(), 0, 0
    plain = path.with_name("before.lance")
    shutil.copytree(path, plain)
    for number in range(kills):
        goal = min(total, max(there, total * (number + 1) // (kills - kills // 4)))
        killed += kill_at(path, goal, rng.uniform(0.0, 0.03 if goal < total else 0.1))
        if "audio_tiny" not in lance.dataset(path).schema.names:
            assert there <= _clips_there(path)
            there = _clips_there(path)
        else:
            embed(encoder, path)
            assert vectors(path) == vectors(whole)
            shutil.rmtree(path)
            shutil.copytree(plain, path)
            there = 0
    assert killed >= kills // 2
    shutil.rmtree(plain)
    embed(encoder, path)
    assert vectors(path) == vectors(whole)
    assert left_beside(path) == []


def test_killed_embeddings_lose_nothing_and_double_nothing(
    encoder: Encoder, whole: Path, tmp_path: Path, kill_at: Killed
):
    _killed_at_random(table(tmp_path / "t.lance"), 4, whole, encoder, kill_at)


@pytest.mark.full
def test_twenty_kills_lose_nothing_and_double_nothing(encoder: Encoder, tmp_path: Path, kill_at: Killed):
    for name in ("killed", "whole"):
        (tmp_path / name).mkdir()
    path, plain = table(tmp_path / "killed" / "t.lance", 400), table(tmp_path / "whole" / "t.lance", 400)
    embed(encoder, plain)
    _killed_at_random(path, 20, plain, encoder, kill_at)


# ------------------------------------------------------------------------------------------- tables with vectors
def test_a_table_that_has_them_is_left_alone(encoder: Encoder, whole: Path):
    before = lance.dataset(whole).version
    report = embed(encoder, whole)
    assert (report.already, report.embedded, report.version) == (True, 0, before)
    assert report.vectors == {"audio": 48, "image": 51, "audiovisual": 41}


def test_other_weights_under_the_name_are_refused_or_replaced_or_named(encoder: Encoder, tmp_path: Path):
    path, other = table(tmp_path / "t.lance", 20), tiny(seed=1)
    embed(encoder, path)
    before = vectors(path)
    with pytest.raises(UsageError, match=r"has vectors of another model.*weights was .*--overwrite.*--name"):
        embed(other, path)
    with pytest.raises(UsageError, match="precision was 'fp32' and is 'bf16'"):
        embed(encoder, path, Settings(precision="bf16"))
    named = embed(other, path, Settings(name="Tiny 2"))
    assert named.columns["audio"] == "audio_tiny_2"
    assert vectors(path) == before
    embed(other, path, Settings(overwrite=True))
    assert [list(row.values())[1:] for row in vectors(path)] == [
        list(row.values())[1:] for row in vectors(path, [f"{column}_2" for column in COLUMNS])
    ]
    assert len(embedded_in(lance.dataset(path).schema)) == 6


def test_an_unfinished_embedding_is_not_mixed_with_another(encoder: Encoder, tmp_path: Path):
    path, said = table(tmp_path / "t.lance", 20), []
    with pytest.raises(Stopped):
        embed(encoder, path, progress=stop_at(12))
    with pytest.raises(UsageError, match=r"begun with other settings: weights was .*--overwrite"):
        embed(tiny(seed=1), path)
    report = embed(tiny(seed=1), path, Settings(overwrite=True), tell=said.append)
    assert (report.resumed, report.embedded) == (0, 20)
    assert said[0].startswith("begins anew: weights was")
    fresh = table(tmp_path / "fresh.lance", 20)
    embed(tiny(seed=1), fresh)
    assert vectors(path) == vectors(fresh)


def _append(path: Path) -> None:
    row = Row("late", "late.mp4", 0.0, 0.4, audio=b"\1\0" * 6400, audio_codec="pcm_s16le")
    lance.write_dataset(to_table([row], schema()), path, mode="append")


def test_a_second_writer_is_noticed_and_nothing_is_lost(encoder: Encoder, tmp_path: Path):
    path, said = table(tmp_path / "t.lance", 20), []

    def intrude(now: EmbedProgress) -> None:
        if now.done == 20:
            _append(path)

    with pytest.raises(StorageError, match=r"written by another process while it was embedded.*same command again"):
        embed(encoder, path, progress=intrude)
    assert lance.dataset(path).count_rows() == 21
    report = embed(encoder, path, tell=said.append)
    assert said == ["begins anew: the table has other rows now"]
    assert (report.clips, report.vectors["audio"]) == (21, 17)
    assert vectors(path)[20]["audio_tiny"] is not None


def test_a_second_writer_at_the_last_instant_is_noticed(encoder: Encoder, tmp_path: Path, monkeypatch):
    path, in_order = table(tmp_path / "t.lance", 20), Gathered.in_order

    def intrude(gathered: Gathered) -> pa.RecordBatchReader:
        _append(path)
        return in_order(gathered)

    with monkeypatch.context() as patched:
        patched.setattr(Gathered, "in_order", intrude)
        with pytest.raises(StorageError, match="written by another process while it was embedded"):
            embed(encoder, path)
    assert lance.dataset(path).count_rows() == 21
    assert "audio_tiny" not in lance.dataset(path).schema.names
    assert embed(encoder, path).clips == 21


def test_a_table_named_by_a_uri(encoder: Encoder, whole: Path, tmp_path: Path):
    path = table(tmp_path / "t.lance")
    with pytest.raises(Stopped):
        embed(encoder, f"file://{path}", progress=stop_at(30))
    report = embed(encoder, f"file://{path}")
    assert report.resumed >= 24
    assert report.skip_list is None
    assert vectors(path) == vectors(whole)
    assert left_beside(path) == []


def test_another_models_columns_meanwhile_do_no_harm(encoder: Encoder, whole: Path, tmp_path: Path):
    path = table(tmp_path / "t.lance")

    def intrude(now: EmbedProgress) -> None:
        if now.done == 60:
            embed(tiny(seed=1), path, Settings(name="other"))

    embed(encoder, path, progress=intrude)
    assert vectors(path) == vectors(whole)
    assert len(embedded_in(lance.dataset(path).schema)) == 6


def test_two_at_once_are_refused(encoder: Encoder, tmp_path: Path):
    path = table(tmp_path / "t.lance", 8)
    with (
        alone(Path(f"{path}.tiny.lock"), "embedding it"),
        pytest.raises(UsageError, match="another process is embedding"),
    ):
        embed(encoder, path)
    work = Work(identity_of_rows(lance.dataset(path)), offered(encoder))
    one, other = (Gathered(str(tmp_path / "v"), work, False, None) for _ in range(2))
    rows = pa.table({name: pa.nulls(1, f.type) for name, f in zip(work.schema.names, work.schema, strict=True)})
    rows = rows.set_column(0, work.schema.field(0), pa.array([0], pa.int64())).cast(work.schema)
    one.add(rows)
    with pytest.raises(StorageError, match="written by another process meanwhile"):
        other.add(rows)
    lance.write_dataset(rows, tmp_path / "v", mode="append")
    with pytest.raises(StorageError, match="holds clips twice"):
        Gathered(str(tmp_path / "v"), work, False, None).done(8)


def test_a_full_disk_is_one_message_and_goes_on(encoder: Encoder, whole: Path, tmp_path: Path, monkeypatch):
    path, write = table(tmp_path / "t.lance"), lance.write_dataset

    def full(rows: pa.Table, uri: str, **settings: object) -> object:
        if settings["mode"] == "append" and rows["row"][0].as_py() >= 24:
            raise OSError("LanceError(IO): No space left on device (os error 28)")
        return write(rows, uri, **settings)

    with monkeypatch.context() as patched:
        patched.setattr(lance, "write_dataset", full)
        with pytest.raises(StorageError, match=r"disk is full.*free some space and run the same command again"):
            embed(encoder, path)
    with monkeypatch.context() as patched:
        patched.setattr(lance.LanceDataset, "add_columns", lambda *_: full(pa.table({"row": [99]}), "", mode="append"))
        with pytest.raises(StorageError, match="disk is full"):
            embed(encoder, path)
    report = embed(encoder, path)
    assert (report.resumed, report.embedded) == (60, 0)
    assert vectors(path) == vectors(whole)


# ------------------------------------------------------------------------------------------------------- bad clips
@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """Rows with a picture that is none, half a sample of sound, an unknown code, a time too few, and good ones."""
    jpeg = media.encode_jpeg(np.full((16, 16, 3), 90, np.uint8))
    sound = {"audio": b"\1\0" * 6400, "audio_codec": "pcm_s16le"}
    rows = [
        Row("good", "a", 0.0, 0.4, frames=[jpeg], frame_seconds=[0.2], **sound),
        Row("picture", "a", 0.4, 0.4, frames=[b"no picture"], frame_seconds=[0.2], **sound),
        Row("half", "a", 0.8, 0.4, frames=[jpeg], frame_seconds=[0.2], audio=b"\1\0\1", audio_codec="pcm_s16le"),
        Row("code", "a", 1.2, 0.4, audio=b"\1\0", audio_codec="mp3"),
        Row("times", "a", 1.6, 0.4, frames=[jpeg], frame_seconds=[0.1, 0.2]),
        Row("neither", "a", 2.0, 0.4),
        Row("last", "a", 2.4, 0.4, frames=[jpeg], frame_seconds=[0.2]),
    ]
    lance.write_dataset(to_table(rows, schema()), tmp_path / "t.lance")
    return tmp_path / "t.lance"


def test_clips_that_cannot_be_decoded_are_typed_counted_and_listed(encoder: Encoder, damaged: Path):
    with pytest.raises(Stopped):
        embed(encoder, damaged, progress=stop_at(7))
    report = embed(encoder, damaged)
    expected = [
        ("picture", "not a media file"),
        ("half", "truncated or damaged"),
        ("code", "unsupported container or codec"),
        ("times", "truncated or damaged"),
    ]
    assert [(skip.file, skip.reason) for skip in report.skips] == expected
    assert report.skipped["truncated or damaged"] == 2
    assert report.vectors == {"audio": 1, "image": 2, "audiovisual": 1}
    written = json.loads(Path(f"{damaged}.tiny.skipped.json").read_text())
    assert [skip["file"] for skip in written["skips"]] == [name for name, _ in expected]
    found = {row["id"]: [value is not None for value in list(row.values())[1:]] for row in vectors(damaged)}
    assert found["good"] == [True, True, True]
    assert found["last"] == [False, True, False]
    assert not any(any(found[name]) for name in ("picture", "half", "code", "times", "neither"))
    assert [skip.file for skip in embed(encoder, damaged).skips] == [name for name, _ in expected]


def test_vectors_that_are_no_numbers_are_refused(tmp_path: Path):
    path, broken = table(tmp_path / "t.lance", 8), tiny()
    with torch.no_grad():
        for parameter in broken.method.parameters():
            parameter.fill_(torch.nan)
    with pytest.raises(DataError, match="NaN or infinite vectors"):
        embed(broken, path)


# ---------------------------------------------------------------------------------------------------- what to embed
@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "sounds"
    place.mkdir()
    for number in range(3):
        samples = np.random.default_rng(number).integers(-9_000, 9_000, 6_400 * 3).astype(np.int16)
        (place / f"{number}.wav").write_bytes(media.encode_wav(samples))
    (place / "broken.wav").write_text("no sound")
    return place


def test_a_folder_is_packed_beside_itself_into_what_the_model_hears(encoder: Encoder, folder: Path):
    report = embed(encoder, folder, packing=Packing(workers=1))
    assert report.table == str(folder) + ".lance"
    assert report.packed is not None
    assert report.packed.skipped == {"not a media file": 1}
    assert (report.clips, report.vectors) == (9, {"audio": 9, "image": 0, "audiovisual": 0})
    np.testing.assert_allclose(clips.open(report.table).start_seconds[:3], [0.0, 0.4, 0.8])
    assert embed(encoder, folder, packing=Packing(workers=1)).already


def test_a_manifest_and_options_of_packing(encoder: Encoder, folder: Path):
    (folder / "some.csv").write_text("file,label\n1.wav,one\n")
    packing = Packing(table=folder.parent / "some.lance", clip_seconds=0.8, workers=1)
    report = embed(encoder, folder / "some.csv", packing=packing)
    assert (report.clips, clips.open(report.table).labels[0]) == (2, ["one"])


@pytest.mark.parametrize(
    ("data", "packing", "message"),
    [
        ("t.lance", Packing(clip_seconds=1.0), "is a table: it is packed already"),
        ("shards/{0..3}.tar", None, "names several files.*--table"),
        ("nowhere", None, "there is no folder"),
        ("nowhere.lance", None, "there is no table"),
    ],
)
def test_what_cannot_be_embedded_is_refused(encoder: Encoder, tmp_path: Path, data: str, packing, message: str):
    with pytest.raises((UsageError, DataError, StorageError), match=message):
        embed(encoder, tmp_path / data, packing=packing)
    assert list(tmp_path.iterdir()) == []


def test_wrong_settings_and_tables_are_refused(encoder: Encoder, whole: Path, tmp_path: Path):
    for wrong in ({"engine": "spark"}, {"windows": "last"}):
        with pytest.raises(UsageError):
            Settings(**wrong)
    with pytest.raises(UsageError, match="gives no smell vectors"):
        embed(encoder, whole, Settings(modalities=("smell",)))
    lance.write_dataset(pa.table({"a": [1]}), tmp_path / "foreign.lance")
    with pytest.raises(StorageError, match="clip table"):
        embed(encoder, tmp_path / "foreign.lance")
    bare = [Row("bare", "a", 0.0, 1.0)]
    lance.write_dataset(to_table(bare, schema()), tmp_path / "bare.lance")
    with pytest.raises(UsageError, match="nothing that tiny reads"):
        embed(encoder, tmp_path / "bare.lance")


# ------------------------------------------------------------------------------------------------------------- Ray
def test_without_ray_the_cure_is_named(encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"Ray is not installed.*pip install 'seehear\[scale\]'"):
        embed(encoder, table(tmp_path / "t.lance", 4), Settings(engine="ray"))


def test_ray_gives_the_same_rows_and_goes_on(encoder: Encoder, whole: Path, tmp_path: Path):
    """Worker threads may differ from this process's: equal to 1e-6, and null where null."""
    ray = pytest.importorskip("ray")
    path = table(tmp_path / "t.lance")
    with pytest.raises(Stopped):
        embed(encoder, path, progress=stop_at(12))
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        report = embed(encoder, path, Settings(engine="ray"))
    finally:
        ray.shutdown()
    assert report.resumed >= 8
    assert report.resumed + report.embedded == 60
    for ours, theirs in zip(vectors(path), vectors(whole), strict=True):
        assert ours["id"] == theirs["id"]
        for column in COLUMNS:
            assert (ours[column] is None) == (theirs[column] is None)
            if ours[column] is not None:
                np.testing.assert_allclose(ours[column], theirs[column], atol=1e-6)
    assert left_beside(path) == []
