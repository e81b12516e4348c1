"""Naming clips from a few examples: what can be told apart is, what cannot is said to be chance."""

import numpy as np
import pytest

from seehear.errors import DataError
from seehear.search.labelling import Examples, Namer

WIDTH = 8


def _examples(count: int, spread: float, windows: int = 1, seed: int = 0) -> tuple[Examples, np.ndarray]:
    """Files of three classes, `windows` nearly equal clips of each; and the classes' centres `[3, D]`."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(3, WIDTH))
    classes = np.repeat(np.arange(count) % 3, windows)
    of_file = np.repeat(spread * rng.normal(size=(count, WIDTH)), windows, axis=0)
    vectors = centres[classes] + of_file + 1e-3 * rng.normal(size=(count * windows, WIDTH))
    files = [f"{number}.wav" for number in np.repeat(np.arange(count), windows)]
    return Examples(vectors, [("abc"[c],) for c in classes], files), centres


def test_classes_apart_are_told_apart():
    examples, centres = _examples(60, 0.1)
    namer = Namer(examples)
    named = namer(centres)
    assert [one.labels for one in named] == [("a",), ("b",), ("c",)]
    assert all(one.probabilities[0] > 0.9 for one in named)
    assert namer.quality is not None
    assert namer.quality.value == 1.0
    assert namer.quality.chance == pytest.approx(1 / 3)


def test_windows_of_one_file_do_not_test_each_other():
    """Classes drawn at random for each file: what remembers files would score 100 %."""
    rng = np.random.default_rng(1)
    examples, _ = _examples(60, 10.0, windows=5)
    drawn = rng.permuted(np.arange(60) % 3)
    blind = Examples(examples.vectors, [("abc"[drawn[i // 5]],) for i in range(300)], examples.files)
    quality = Namer(blind).quality
    assert quality is not None
    assert quality.value < 0.6


def test_several_labels_are_named_independently():
    rng = np.random.default_rng(2)
    members = rng.random((80, 2)) < 0.5
    members[~members.any(axis=1)] = True
    vectors = np.concatenate([4.0 * members, 0.1 * rng.normal(size=(80, 3))], axis=1)
    labels = [tuple(name for name, there in zip(("rain", "wind"), row, strict=True) if there) for row in members]
    namer = Namer(Examples(vectors, labels, [str(i) for i in range(80)]))
    assert namer.several
    both, rain = namer(np.array([[4.0, 4.0, 0, 0, 0], [4.0, 0.0, 0, 0, 0]]))
    assert set(both.labels) == {"rain", "wind"}
    assert rain.labels == ("rain",)
    assert namer.quality is not None
    assert namer.quality.value > 0.95


@pytest.mark.parametrize(
    ("labels", "words"), [([("a",)] * 4, "1 classes"), ([("a",), ("a",), ("a",), ("b",)], "one example only of b")]
)
def test_too_few_examples_are_refused(labels: list, words: str):
    with pytest.raises(DataError, match=words):
        Namer(Examples(np.eye(4), labels, list("wxyz")))


def test_one_file_gives_no_figure():
    examples, _ = _examples(12, 0.1)
    assert Namer(Examples(examples.vectors, examples.labels, ["one.wav"] * 12)).quality is None
