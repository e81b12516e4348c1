"""Layouts: told apart by their names, refused as each other's; what a reader of keys promises."""

import re
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from seehear.errors import DataError, UsageError
from seehear.weights import from_released
from seehear.weights.released.layouts import LAYOUTS, guess
from seehear.weights.released.names import folded
from seehear.weights.released.reading import Reading
from seehear.weights.released.state import StateReader
from tests.weights import published
from tests.weights.published_deepavfusion import deepavfusion
from tests.weights.published_ez_vsl import ez_vsl, resnet18
from tests.weights.published_vits import made, tiny

DRAWN = {"decoder_blocks.0.norm1.weight": (8,), "decoder_embed.weight": (8, 128)}
FILES: dict[str, Callable[[], dict[str, Tensor]]] = {
    "avsiam": published.avsiam,
    "avsiam-finetuned": published.avsiam_finetuned,
    "cav-mae": published.cav_mae,
    "cav-mae-finetuned": lambda: published.cav_mae(classes=5),
    "vit-timm": tiny,
    "mae": lambda: tiny() | made(DRAWN),
    "audiomae": lambda: tiny(places=513, channels=1) | made(DRAWN),
    "ez-vsl": lambda: ez_vsl(width=8),
    "resnet18": resnet18,
    "deepavfusion": deepavfusion,
}


# ------------------------------------------------------------------------------------------------- layouts
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_is_known_by_its_names_and_read(layout: str):
    state = FILES[layout]()
    assert guess(state) == layout
    encoder = from_released(layout, state)
    assert encoder.layout == layout
    reading = encoder.reading
    names = {name.removeprefix("module.") for name in state}
    assert set(reading.used) | set(reading.unused) | set(reading.duplicates) == names
    assert len(reading.used) + len(reading.unused) + len(reading.duplicates) == len(names)
    assert Reading.from_dict(reading.to_dict()) == reading
    assert f"{len(reading.used)} tensors used" in reading.lines()[0]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_used_key_can_go_or_change_its_shape(layout: str):
    state = FILES[layout]()
    used = from_released(layout, state).reading.used
    kinds = {re.sub(r"\d+", "#", name): name for name in state if name.removeprefix("module.") in used}
    for name in (name for name in kinds.values() if state[name].ndim):  # a count may be missing
        for changed in (None, state[name][..., :-1], state[name][None], state[name][:0]):
            others = {other: value for other, value in state.items() if other != name}
            with pytest.raises(DataError):
                from_released(layout, others if changed is None else others | {name: changed})


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("other", LAYOUTS)
def test_weights_of_another_layout_are_refused_and_named(layout: str, other: str):
    if layout == other or {layout, other} == {"vit-timm", "mae"}:
        return
    with pytest.raises(DataError, match=f"look like the layout {other}; expected the layout {layout}"):
        from_released(layout, FILES[other]())


def test_the_released_avsiam_file_says_what_it_lacks():
    reading = from_released("avsiam", published.avsiam(whole=False)).reading
    assert list(reading.missing) == ["mm_layer_1.*", "mm_layer_2.*", "ast_base.*"]
    assert "blocks 1 and 2" in reading.missing["mm_layer_1.*"]  # of three; 10 and 11 of twelve
    assert not from_released("avsiam", published.avsiam()).reading.missing


def test_timm_and_mae_are_the_same_function():
    picture = torch.randn(1, 3, 48, 48)
    one, other = (from_released(layout, tiny()).forward_features(image=picture) for layout in ("vit-timm", "mae"))
    assert torch.equal(one["image"], other["image"])


def test_mavil_is_known_and_not_read():
    with pytest.raises(DataError, match="MAViL's, which no adapter reads"):
        from_released("audiomae", tiny(places=513, channels=1) | {"blocks_av.0.norm1.weight": torch.ones(2)})


def test_strangers_are_no_layout():
    assert guess({"conv1.weight": torch.ones(2)}) is None
    assert guess({}) is None
    with pytest.raises(DataError, match="from which sizes are read missing"):
        from_released("mae", {"conv1.weight": torch.ones(2)})


def test_unknown_layouts_and_options_name_the_nearest():
    with pytest.raises(UsageError, match=r"unknown layout 'avsiam-fine'.*try: avsiam-finetuned"):
        from_released("avsiam-fine", tiny())
    with pytest.raises(UsageError, match=r"unknown option 'head' of the layout mae.*try: heads"):
        from_released("mae", tiny(), head=2)
    assert from_released("mae", tiny(), heads=4).options == {"heads": 4}


def test_every_released_size_has_its_heads():
    for width, heads in {192: 3, 384: 6, 768: 12, 1024: 16, 1280: 16, 128: 2}.items():
        state = tiny(width=width, depth=1, patch=2)
        assert from_released("vit-timm", state).trunk.blocks[0].attn.heads == heads


# ------------------------------------------------------------------------------------------------- the reader of keys
@pytest.mark.parametrize(
    ("state", "says"),
    [
        ({}, "an empty dictionary"),
        ({"a": 3}, "'a' is of type int.*open_weights"),
        ({"model": {"a": torch.ones(1)}}, "'model' is of type dict"),
        ({"a": torch.ones(1), "module.a": torch.ones(1)}, "1 key with and without 'module.'"),
    ],
)
def test_what_is_no_dictionary_of_tensors(state: dict, says: str):
    with pytest.raises(DataError, match=says):
        from_released("mae", state)


def test_integers_are_no_weights():
    with pytest.raises(DataError, match=r"norm\.weight holds torch\.int64, expected floating point"):
        from_released("mae", tiny() | {"norm.weight": torch.ones(128, dtype=torch.int64)})


def test_duplicates_are_compared_and_the_first_that_differs_is_named():
    state = {"a.0": torch.ones(2), "a.1": torch.ones(2), "b.0": torch.ones(2), "b.1": torch.zeros(2)}
    with pytest.raises(DataError, match=r"b\.1 differs from a\.1"):
        StateReader(state, "x").same("b.", "a.")
    reader = StateReader(state | {"b.1": torch.ones(2), "b.2": torch.ones(2)}, "x")
    reader.take("a.0", (2,))
    reader.take("a.1", (2,))
    reader.same("b.", "a.")
    reading = reader.finish()
    assert reading.duplicates == {"b.0": "a.0", "b.1": "a.1"}
    assert list(reading.unused) == ["b.2"]


def test_a_dropped_key_that_is_taken_later_is_used():
    reader = StateReader({"a.x": torch.ones(2), "a.y": torch.ones(2)}, "x")
    reader.drop("a.", "first reason")
    reader.drop("a.", "second reason")
    assert reader.take("a.x", (2,)).dtype == torch.float32
    assert reader.optional("a.z", (2,)) is None
    reader.fallback(["c"], "nothing")
    reading = reader.finish()
    assert (reading.used, reading.unused, reading.missing) == (
        {"a.x": (2,)},
        {"a.y": "first reason"},
        {"c": "nothing"},
    )


def test_blocks_are_counted_to_the_largest_number():
    reader = StateReader({f"blocks.{n}.w": torch.ones(1) for n in (0, 2, 11)} | {"blocks.x": torch.ones(1)}, "x")
    assert reader.count_blocks("blocks.") == 12
    assert reader.count_blocks("nothing.") == 0


# ------------------------------------------------------------------------------------------------- names in short
def test_names_alike_but_for_a_number_become_one():
    assert folded([f"b.{n}.w" for n in (0, 1, 2, 5)] + ["a", "c.3.x"]) == ["b.{0-2,5}.w", "a", "c.3.x"]
    assert folded(["mlp_head.0.weight", "mlp_head.1.weight"]) == ["mlp_head.{0-1}.weight"]


@given(st.sets(st.integers(0, 40), min_size=1))
def test_folding_loses_no_number(numbers: set[int]):
    (name,) = folded(f"b.{n}.w" for n in numbers)
    parts = name.removeprefix("b.").removesuffix(".w").strip("{}").split(",")
    found = [n for part in parts for n in range(int(part.split("-")[0]), int(part.split("-")[-1]) + 1)]
    assert found == sorted(numbers)
