"""Options through tyro: dataclasses in, one `UsageError` line out; recipes overridden field by field."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from seehear.cli.options import MISSING, Overrides, Positional, named, parse
from seehear.errors import UsageError

EXAMPLES = ("seehear train videos --optimizer.learning-rate 3e-4",)


@dataclass(frozen=True)
class Optimizer:
    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.95)


@dataclass(frozen=True)
class Config:
    method = "avsiam"
    width: int = 64
    ratios: tuple[float, ...] = (0.1, 0.5)


@dataclass(frozen=True)
class Run:
    method: Any
    optimizer: Optimizer = Optimizer()
    mode: Literal["fast", "exact"] = "fast"
    limit: float | None = None


@dataclass(frozen=True)
class Options:
    """Train on a folder.

    A second paragraph.
    """

    folder: Annotated[Positional[Path], named("FOLDER")]
    """where the clips lie"""
    config: Overrides[Run]
    resume: bool = False
    """go on where the last run stopped"""


DEFAULT = Options(MISSING, Run(Config(width=5)))


def read(*words: str) -> Options:
    return parse(Options, words, "train", EXAMPLES, default=DEFAULT)


def test_a_recipe_is_overridden_field_by_field() -> None:
    found = read(
        "videos", "--optimizer.learning-rate", "1e-2", "--method.ratios", "0.2", "--limit", "3", "--resume",
        "--mode", "exact", "--optimizer.betas", "0.8", "0.9",
    )  # fmt: skip
    assert found.folder == Path("videos")
    assert found.config == Run(Config(5, (0.2,)), Optimizer(1e-2, (0.8, 0.9)), "exact", 3.0)
    assert found.resume


def test_what_is_not_named_keeps_the_recipes_value() -> None:
    assert read("videos") == Options(Path("videos"), Run(Config(width=5)))


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])  # tyro draws another box for each
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("videos", "--optimizer.learning-rat", "1"),
            "try: --optimizer.learning-rate (seehear train --help lists all)",
        ),
        (("videos", "--method.widht", "1"), "try: --method.width"),
        (("videos", "--no-resume"), "unrecognized options: --no-resume"),
        (("videos", "--mode", "exakt"), "invalid choice 'exakt' for argument '--mode'"),
        (("videos", "--method.width", "1.5"), "--method.width: invalid literal for int() with base 10: '1.5'"),
        (("videos", "--optimizer.betas", "1"), "--optimizer.betas"),
        ((), "missing: FOLDER where the clips lie; try"),
    ],
)
def test_a_mistake_becomes_one_line(
    words: tuple[str, ...], says: str, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    with pytest.raises(UsageError) as caught:
        read(*words)
    assert says in str(caught.value)
    assert "seehear train --help" in str(caught.value)
    assert not set("\n╭│╰─") & set(str(caught.value))
    assert "---" not in str(caught.value)


def test_the_help_holds_text_options_and_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        read("--help")
    assert leaving.value.code == 0
    said = capsys.readouterr().out
    for words in ("Train on a folder.", "A second paragraph.", *EXAMPLES, "where the clips lie", "--method.width"):
        assert words in said


def test_a_path_that_begins_with_dashes_follows_a_bare_double_dash() -> None:
    assert read("--", "--BfvyPmVMo.wav").folder == Path("--BfvyPmVMo.wav")
