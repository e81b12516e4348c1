"""A batch refuses what was never declared, and what has another shape or dtype than declared."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from seehear.contracts import (
    FIELDS,
    Batch,
    Figure,
    Method,
    Needs,
    Replacement,
    Sampler,
    declare_field,
)
from seehear.errors import UsageError


def ids(count: int) -> Tensor:
    return torch.arange(count)


def full_batch(count: int = 3) -> Batch:
    return Batch(
        ids(count),
        ids(count) + 10,
        {
            "waveform": torch.zeros(count, 160, dtype=torch.int16),
            "waveform_samples": torch.full((count,), 160),
            "frames": torch.zeros(count, 2, 3, 8, 6, dtype=torch.uint8),
            "has_audio": torch.ones(count, dtype=torch.bool),
            "has_image": torch.ones(count, dtype=torch.bool),
            "labels": torch.zeros(count, 5),
            "caption": ["a"] * count,
        },
    )


def test_a_batch_carries_every_declared_field() -> None:
    batch = full_batch()
    assert set(batch.fields) == {n for n in FIELDS if not n.startswith(("test_", "bench_"))}
    assert len(batch) == 3
    assert "frames" in batch
    assert "video" not in batch
    assert batch["frames"].shape == (3, 2, 3, 8, 6)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("wavefrm", torch.zeros(2, 4, dtype=torch.int16), ("'wavefrm' is not declared", "waveform")),
        ("waveform", torch.zeros(2, 4), ("waveform is (2, 4) torch.float32", "torch.int16")),
        ("waveform", torch.zeros(3, 4, dtype=torch.int16), ("waveform is (3, 4)", "'B': 2")),
        ("waveform", torch.zeros(2, 4, 1, dtype=torch.int16), ("waveform is (2, 4, 1)", "('B', 'S')")),
        ("waveform", np.zeros((2, 4), np.int16), ("waveform is (2, 4) int16", "torch.int16")),
        ("frames", torch.zeros(2, 1, 4, 8, 8, dtype=torch.uint8), ("frames is (2, 1, 4, 8, 8)", "3, 'H', 'W'")),
        ("frames", torch.zeros(2, 3, 8, 8, dtype=torch.uint8), ("frames is (2, 3, 8, 8)",)),
        ("frames", torch.zeros(2, 1, 3, 8, 8), ("frames", "torch.uint8")),
        ("has_audio", torch.ones(2), ("has_audio", "torch.bool")),
        ("labels", torch.zeros(2, 5, dtype=torch.float64), ("labels", "torch.float32")),
        ("caption", ["one"], ("caption has 1 entries", "expected 2")),
    ],
)
def test_a_wrong_field_is_refused_by_name(name: str, value: Any, words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as caught:
        Batch(ids(2), ids(2), {name: value})
    for word in words:
        assert word in str(caught.value)


def test_one_letter_means_one_size_across_fields() -> None:
    declare_field("test_second_sound", ("B", "S"), torch.int16, "as long as the first")
    short, long = torch.zeros(2, 4, dtype=torch.int16), torch.zeros(2, 5, dtype=torch.int16)
    assert len(Batch(ids(2), ids(2), {"waveform": short, "test_second_sound": short})) == 2
    with pytest.raises(UsageError, match="'S': 4"):
        Batch(ids(2), ids(2), {"waveform": short, "test_second_sound": long})


def test_positions_and_ids_go_together() -> None:
    with pytest.raises(UsageError, match="3 positions for 2 sample ids"):
        Batch(ids(2), ids(3))


def test_a_field_is_declared_once() -> None:
    declare_field("test_once", ("B",), torch.int64, "a number")
    declare_field("test_once", ("B",), torch.int64, "a number")
    with pytest.raises(UsageError, match="'test_once' is declared twice"):
        declare_field("test_once", ("B", 2), torch.int64, "two numbers")


def test_an_absent_field_is_named_with_those_that_are_there() -> None:
    with pytest.raises(UsageError, match="no 'labels'; expected one of caption"):
        Batch(ids(1), ids(1), {"caption": ["a"]})["labels"]
    with pytest.raises(UsageError, match="expected one of none"):
        Batch(ids(1), ids(1))["labels"]


def test_a_batch_moves_whole() -> None:
    swaps = (Replacement(position=10, sample_id=5, reason="empty file", attempt=0, replaced_by=0),)
    batch = full_batch()
    batch.replacements = swaps
    moved = batch.to("meta")
    assert {v.device.type for v in moved.fields.values() if isinstance(v, Tensor)} == {"meta"}
    assert moved.sample_ids.device.type == moved.positions.device.type == "meta"
    assert (moved["caption"], moved.replacements) == (["a"] * 3, swaps)


def test_a_batch_shows_its_shapes() -> None:
    assert "3 clips" in repr(full_batch())
    assert "'frames': (3, 2, 3, 8, 6)" in repr(full_batch())


class TwoLayers(Method):
    def __init__(self) -> None:
        super().__init__()
        self.linear, self.norm = nn.Linear(3, 4), nn.LayerNorm(4)
        self.frozen = nn.Parameter(torch.zeros(2, 2), requires_grad=False)


def test_by_default_matrices_decay_and_vectors_do_not() -> None:
    method = TwoLayers()
    groups = {group["name"]: group for group in method.parameter_groups("joint")}
    assert groups["matrices"]["weight_decay_scale"] == 1.0
    assert groups["vectors"]["weight_decay_scale"] == 0.0
    assert [p.shape for p in groups["matrices"]["params"]] == [(4, 3)]
    held = {id(p) for group in groups.values() for p in group["params"]}
    assert held == {id(p) for p in method.parameters() if p.requires_grad}


def test_a_method_has_one_phase_and_one_optimiser_unless_it_says_so() -> None:
    method = TwoLayers()
    assert method.phases == ("joint",)
    assert method.optimizer_of("joint") == method.optimizer_of("other") == "shared"


@pytest.mark.parametrize("call", [lambda m: m.needs, lambda m: m(None, None), lambda m: m.encode(None)])
def test_what_a_method_must_bring_is_not_made_up(call: Any) -> None:
    with pytest.raises(NotImplementedError):
        call(TwoLayers())


def test_a_sampler_is_known_by_what_it_can_do() -> None:
    class Whole:
        lag = 0

        def plan(self, step: int) -> np.ndarray:
            return np.zeros(1, np.int64)

        def replacement(self, position: int, attempt: int) -> int:
            return 0

        def observe(self, step: int, ids: np.ndarray, features: Any) -> None: ...

        def state_dict(self) -> dict[str, Any]:
            return {}

        def load_state_dict(self, state: Any) -> None: ...

    class Half:
        lag = 0

        def plan(self, step: int) -> np.ndarray:
            return np.zeros(1, np.int64)

    assert isinstance(Whole(), Sampler)
    assert not isinstance(Half(), Sampler)


def test_what_people_set_cannot_be_changed_afterwards() -> None:
    for frozen in (Needs(), Figure("a", 1.0), FIELDS["frames"]):
        with pytest.raises(AttributeError):
            frozen.name = "b"  # type: ignore[misc]
