"""`seehear weights`, as a person and as a machine meet it."""

from pathlib import Path

import pytest
import torch

from seehear.cli.weights import VERBS
from seehear.weights import open_converted
from tests.cli.calls import failure, machine, people
from tests.weights.published_vits import made, shapes


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A tiny ViT with a head and a decoder's leftover, as a training state."""
    names = shapes(width=64, depth=2, patch=16, places=10) | {"head.weight": (5, 64), "mask_token": (1, 1, 32)}
    torch.save({"model": made(names), "epoch": 3}, tmp_path / "x.pth")
    return tmp_path / "x.pth"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_shows_examples_of_itself(verb: str, capsys: pytest.CaptureFixture[str]):
    assert people(capsys, "weights", verb, "--help").count(f"seehear weights {verb}") >= 2


def test_the_list_names_licence_and_link(capsys: pytest.CaptureFixture[str]):
    said = people(capsys, "weights", "list", "avsiam")
    assert "avsiam-base+" in said
    assert "MIT" in said
    assert "mae-base" not in said
    listed = {one["name"]: one for one in machine(capsys, "weights", "list")["sources"]}
    assert listed["avsiam-base"]["url"].endswith("/as2m_pretrained.20.pth")
    assert listed["cav-mae-base-nonorm"]["options"] == {"per_patch_targets": False}
    assert listed["mavil"]["licence"] == "CC-BY-NC 4.0"


def test_inspecting_names_every_key_that_is_not_used(file: Path, capsys: pytest.CaptureFixture[str]):
    said = people(capsys, "weights", "inspect", file, "--option", "image_size=64")
    for words in (
        "vit-timm: 30 tensors used",
        "2 unused",
        "wrapped  in the entry 'model' of a training state; beside it, not read: epoch",
        "unused   head.weight:",
        "unused   mask_token:",
        "missing  pos_embed of 4 x 4: carried from 3 x 3",
        "64 x 64",
        "(0.5, 0.5, 0.5)",
        "timm files do not tell",
    ):
        assert words in said
    document = machine(capsys, "weights", "inspect", file, "--layout", "mae", "--option", "heads=4")
    assert (document["layout"], document["options"]) == ("mae", {"heads": 4})
    assert set(document["reading"]["unused"]) == {"head.weight", "mask_token"}
    assert document["preprocessing"]["image_mean"] == [0.485, 0.456, 0.406]
    sizes = document["sizes"]
    assert (sizes["width"], sizes["heads"], sizes["blocks of the trunk"], sizes["tokens of image"]) == (
        64,
        4,
        2,
        "3 x 3",
    )
    read = sum(tensor.numel() for tensor in torch.load(file)["model"].values()) - 5 * 64 - 32
    assert sizes["parameters"] == read - 64  # the class token has its position within it


def test_converting_and_reading_back(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "y.safetensors"
    said = people(capsys, "weights", "convert", file, out, "--option", "statistics=imagenet")
    assert "unused   head.weight" in said
    assert open_converted(out).options == {"statistics": "imagenet"}
    assert machine(capsys, "weights", "inspect", out)["reading"]["wrapper"] == "model"
    status, line = failure(capsys, "weights", "convert", file, out)
    assert (status, "exists" in line) == (5, True)


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        ((), 2, "no verb is named"),
        (("lst",), 2, "try: list"),
        (("fetch", "avsiam-bas"), 2, "try: avsiam-base"),
        (("fetch", "mavil"), 2, "by hand"),
        (("inspect", "none.pth"), 5, "could not be read"),
        (("inspect", "{file}", "--layout", "ma"), 2, "try: mae"),
        (("inspect", "{file}", "--layout", "avsiam"), 3, "look like the layout vit-timm"),
        (("inspect", "{file}", "--option", "heads"), 2, "name=value"),
        (("inspect", "{file}", "--option", "hed=2"), 2, "try: heads"),
        (("inspect", "{file}", "--option", "heads=7"), 2, "no multiple of 7 heads"),
    ],
)
def test_mistakes_are_one_line(
    words: tuple[str, ...], status: int, says: str, file: Path, capsys: pytest.CaptureFixture[str]
):
    found, line = failure(capsys, "weights", *(word.format(file=file) for word in words))
    assert found == status
    assert says in line
