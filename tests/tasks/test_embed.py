"""Embedding: the same whatever the batches, honest about what is missing, whole on disk."""

import hashlib
import json
import os

import numpy as np
import pytest
import torch

from seehear.contracts import Batch
from seehear.errors import DataError, StorageError
from seehear.signals import fbank
from seehear.tasks import Embeddings, embed, load_embeddings, raw_features, save_embeddings
from seehear.tasks.embeddings import ARRAYS
from seehear.tasks.raw_features import mean_log_mel
from tests.tasks.tasks_toys import ToyMethod, clips, in_batches


@pytest.mark.parametrize("size", [1, 7, 64])
def test_embeddings_do_not_depend_on_batch_size_or_order(size):
    fields, method = clips(20), ToyMethod()
    names = {int(i): f"clip {n}" for n, i in enumerate(fields["sample_ids"])}
    whole = embed(method, in_batches(fields, 20), names=names)
    parts = embed(method, in_batches(fields, size, np.random.default_rng(size).permutation(20)), names=names)
    assert (np.diff(whole.sample_ids) > 0).all()
    assert parts.names == whole.names
    assert whole.names[0] == names[int(whole.sample_ids[0])]
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-5, atol=1e-6)


def test_embeddings_are_those_of_encode_in_evaluation_mode():
    fields, method = clips(5), ToyMethod().train()
    found = embed(method, in_batches(fields, 2))
    assert method.training  # as before
    method.eval()
    batch = next(in_batches(fields, 5))
    order = batch.sample_ids.argsort()
    expected = method.encode(batch)["audio"].embedding[order].detach()
    np.testing.assert_allclose(found.audio, expected, atol=1e-6)
    np.testing.assert_array_equal(found.labels, fields["labels"][order])


def test_clips_without_a_modality_have_zero_rows_and_are_marked():
    fields = clips(6)
    fields["has_audio"][2], fields["has_image"][4] = False, False
    found = embed(ToyMethod(), in_batches(fields, 4))
    silent, blind = (int(np.flatnonzero(found.sample_ids == int(fields["sample_ids"][i]))[0]) for i in (2, 4))
    assert np.flatnonzero(~found.has_audio).tolist() == [silent]
    assert np.flatnonzero(~found.has_image).tolist() == [blind]
    assert not found.audio[silent].any()
    assert found.audio[blind].any()
    assert found.has("both").sum() == 4


def test_a_modality_that_only_some_batches_carry():
    sounding, still = clips(3, seed=1), clips(3, seed=2)
    del still["waveform"], still["waveform_samples"], still["has_audio"]
    found = embed(ToyMethod(), [*in_batches(sounding, 3), *in_batches(still, 3)])
    assert found.has_audio.sum() == 3
    assert np.isin(found.sample_ids[found.has_audio], sounding["sample_ids"]).all()
    assert found.has_image.all()


def test_no_modality_at_all_is_none():
    fields = clips(4)
    fields["has_audio"][:] = False
    found = embed(ToyMethod(), in_batches(fields, 4))
    assert found.audio is None
    assert found.audio_pooled is None


def test_a_repeated_clip_counts_once():
    found = embed(ToyMethod(), in_batches(clips(4), 3, [0, 1, 2, 3, 0, 1]))
    assert (len(found), found.duplicates) == (4, 2)


def test_broken_input_is_refused():
    fields, method = clips(4), ToyMethod()
    with pytest.raises(DataError, match="no clip to embed"):
        embed(method, [])
    with pytest.raises(DataError, match="2 label names for 3 classes"):
        embed(method, in_batches(fields, 4), label_names=("a", "b"))
    unlabelled = {n: v for n, v in clips(2, seed=5).items() if n != "labels"}
    with pytest.raises(DataError, match="1 of 2 batches carry labels"):
        embed(method, [*in_batches(fields, 4), *in_batches(unlabelled, 4)])
    with pytest.raises(DataError, match="neither sound nor pictures"):
        embed(method, [Batch(torch.tensor([1]), torch.tensor([0]))])
    with torch.no_grad():
        method.audio[0, 0] = float("nan")
    with pytest.raises(DataError, match=r"audio of \d+ holds NaN"):
        embed(method, in_batches(fields, 4))


def test_embeddings_check_themselves():
    ids, yes = np.array([3, 3]), np.ones(2, bool)
    with pytest.raises(DataError, match="not rising"):
        Embeddings(ids, yes, yes, names=("a", "b"))
    with pytest.raises(DataError, match="1 names for 2"):
        Embeddings(np.array([1, 2]), yes, yes, names=("a",))
    with pytest.raises(DataError, match="audio has 3 rows"):
        Embeddings(np.array([1, 2]), yes, yes, audio=np.zeros((3, 2), np.float32), names=("a", "b"))


def test_saving_and_loading_gives_the_same(tmp_path):
    fields = clips(5)
    found = embed(ToyMethod(), in_batches(fields, 5), label_names=("a", "b", "ü"))
    save_embeddings(found, tmp_path / "test.v1")
    again = load_embeddings(tmp_path / "test.v1")
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))
    assert (again.names, again.label_names, again.duplicates) == (found.names, ("a", "b", "ü"), 0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["test.v1.json", "test.v1.npz"]


def test_damaged_files_are_named(tmp_path):
    stem = tmp_path / "e"
    with pytest.raises(StorageError, match="cannot read embeddings"):
        load_embeddings(stem)
    with pytest.raises(StorageError, match="cannot write embeddings"):
        save_embeddings(embed(ToyMethod(), in_batches(clips(2), 2)), tmp_path / "none" / "e")
    save_embeddings(embed(ToyMethod(), in_batches(clips(2), 2)), stem)
    about, arrays = (tmp_path / "e.json").read_text(), (tmp_path / "e.npz").read_bytes()
    (tmp_path / "e.npz").write_bytes(arrays[:-9])
    with pytest.raises(StorageError, match="do not belong together"):
        load_embeddings(stem)
    (tmp_path / "e.json").write_text(json.dumps(json.loads(about) | {"format": 99}))
    with pytest.raises(StorageError, match="format 99"):
        load_embeddings(stem)
    (tmp_path / "e.json").write_text(about[:20])
    with pytest.raises(StorageError, match="damaged"):
        load_embeddings(stem)


class Canary:
    """Unpickling it makes a folder."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def test_nothing_is_unpickled(tmp_path):
    save_embeddings(embed(ToyMethod(), in_batches(clips(2), 2)), tmp_path / "e")
    np.savez(tmp_path / "e.npz", audio=np.array([Canary(str(tmp_path / "ran"))], dtype=object))
    digest = hashlib.blake2b((tmp_path / "e.npz").read_bytes(), digest_size=16).hexdigest()
    about = json.loads((tmp_path / "e.json").read_text()) | {"arrays": digest}
    (tmp_path / "e.json").write_text(json.dumps(about))
    with pytest.raises(StorageError, match="damaged"):
        load_embeddings(tmp_path / "e")
    assert not (tmp_path / "ran").exists()


def test_raw_features_are_mean_colour_and_mean_log_mel():
    fields = clips(3)
    fields["frames"][0, 0, 0], fields["frames"][0, 0, 1], fields["frames"][0, 0, 2] = 255, 51, 0
    fields["waveform"][1, 1600:], fields["waveform_samples"][1] = 0, 1600
    found = raw_features(in_batches(fields, 2))
    row = [int(np.flatnonzero(found.sample_ids == int(i))[0]) for i in fields["sample_ids"]]
    np.testing.assert_allclose(found.image_pooled[row[0]], [1.0, 0.2, 0.0], atol=1e-6)
    alone = fbank(fields["waveform"][1:2, :1600].float() / 32768)[0].mean(dim=0)
    np.testing.assert_allclose(found.audio_pooled[row[1]], alone, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(found.audio, axis=1), 1, atol=1e-6)


def test_raw_sound_shorter_than_a_frame_is_zero_not_nan():
    values = mean_log_mel(torch.zeros(2, 3200, dtype=torch.int16), torch.tensor([0, 399]))
    assert not values.any()
