"""`seehear separate` with a tiny OneAVM: files, document, and what is refused."""

from pathlib import Path

import pytest

from seehear.backbones.map_towers import ConvNetConfig
from seehear.layers.inputs import InputConfig
from seehear.methods.oneavm import Config, OneAVM
from seehear.signals.separation import Bands
from seehear.weights.about import About, hash_of
from seehear.weights.model_folder import write_model
from tests.cli.calls import failure, machine, people
from tests.runs import planted


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder and two clips."""
    folder = tmp_path_factory.mktemp("separate")
    config = Config(
        inputs=InputConfig(audio_seconds=0.4, image_height=32, image_width=32),
        bands=Bands("mel", count=16, size=512, shift=256),
        frames=32,
        towers="convnet",
        convnet=ConvNetConfig(widths=(4, 8), image_strides=(4, 2), audio_strides=(2, 2)),
        width=6,
        decoder_width=4,
    )
    method = OneAVM(config)
    write_model(folder / "model", method, About("tiny", hash_of(method.state_dict()), knows="It knows nothing."))
    planted.write_tone(folder / "red.mp4", planted.RED, 400, 1.0)
    planted.write_tone(folder / "blue.mp4", planted.BLUE, 3000, 1.2)
    return folder


def test_two_clips_are_mixed(here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--mix", here / "red.mp4", here / "blue.mp4", "--model", here / "model", "-o", tmp_path / "out")
    found = machine(capsys, "separate", *words)
    assert (found["model"], found["knows"], found["regions"]) == ("tiny", "It knows nothing.", "clips")
    assert all(Path(source["sound"]).exists() for source in found["sources"])
    assert all(isinstance(source["mixture_sdr"], float) for source in found["sources"])
    said = people(capsys, "separate", *words, "--overwrite")
    assert "mixture's SDR" in said
    assert "both were cut to 1.0" in said


@pytest.mark.parametrize("how", [(), ("--halves",), ("--sources", 1)])
def test_one_clip_is_taken_apart(
    how: tuple[object, ...], here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = machine(capsys, "separate", here / "red.mp4", "--model", here / "model", "-o", tmp_path / "out", *how)
    assert len(found["sources"]) == (1 if "--sources" in how else 2)
    assert found["variant"] == ""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--model", "MODEL"), "neither a clip nor --mix"),
        (("red.mp4", "--mix", "red.mp4", "blue.mp4", "--model", "MODEL"), "both a clip and --mix"),
        (("--mix", "red.mp4", "blue.mp4", "--halves", "--model", "MODEL"), "a source for each"),
        (("red.mp4",), "no model is named"),
        (("red.mp4", "--model", "avsiam-world"), "avsiam-world separates nothing"),
        (("red.mp4", "--model", "MODEL", "--halves", "--sources", "3"), "2 halves"),
    ],
)
def test_wrong_words_are_refused(
    words: tuple[str, ...],
    says: str,
    here: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(here)
    given = [str(here / "model") if word == "MODEL" else word for word in words]
    status, line = failure(capsys, "separate", *given, "-o", tmp_path / "out")
    assert (status, says in line) == (2, True), line
    assert not list(tmp_path.iterdir())
