"""Every snippet of the quick start and the how-to pages runs, in the order of its page, in a folder of small media."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from seehear import media, world
from seehear.cli import main
from seehear.signals import waveform_to_int16

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [DOCS / "quick_start.md", *sorted((DOCS / "how_to").glob("*.md"))]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def shown() -> list[world.Rendered]:
    return list(world.memory_clips("unit", "test", 0, 48, size=64))


@pytest.fixture
def here(tmp_path: Path, shown: list[world.Rendered], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the pages name: my_videos, my_sounds with a manifest, bell.wav, photo.jpg."""
    videos, sounds = tmp_path / "my_videos", tmp_path / "my_sounds" / "sounds"
    videos.mkdir()
    sounds.mkdir(parents=True)
    for number, clip in enumerate(shown[:16]):
        name = "first.mp4" if number == 0 else f"{number:02}.mp4"
        media.write_video(videos / name, clip.pixels, _rate(clip), _samples(clip))
    listed = [
        "file,labels",
        *(f"{p.name},{clip.labels[0]}" for p, clip in zip(_files(videos), shown[:16], strict=True)),
    ]
    (videos / "manifest.csv").write_text("\n".join(listed) + "\n", encoding="utf-8")
    listed = ["file,labels"]
    for number, clip in enumerate(shown):
        media.write_flac(sounds / f"{number:03}.flac", _samples(clip))
        listed.append(f"sounds/{number:03}.flac,{clip.labels[0] if number < 40 else ''}")
    (tmp_path / "my_sounds" / "manifest.csv").write_text("\n".join(listed) + "\n", encoding="utf-8")
    bell = next(clip for clip in shown if "bell" in clip.labels)
    (tmp_path / "bell.wav").write_bytes(media.encode_wav(_samples(bell)))
    (tmp_path / "photo.jpg").write_bytes(media.encode_jpeg(bell.pixels[0], 90))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _files(folder: Path) -> list[Path]:
    return [folder / "first.mp4", *(folder / f"{number:02}.mp4" for number in range(1, 16))]


def _samples(clip: world.Rendered) -> Any:
    import torch

    return waveform_to_int16(torch.from_numpy(clip.waveform)).numpy()


def _rate(clip: world.Rendered) -> Fraction:
    return Fraction(len(clip.pixels) * 16_000, len(clip.waveform)).limit_denominator(100)


def snippets(page: Path) -> Iterator[tuple[str, str]]:
    """Language and text of each fence that is to be run."""
    for language, text in _FENCE.findall(page.read_text(encoding="utf-8")):
        if language != "text":
            yield language, text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_runs(page: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, names = list(snippets(page)), {"__name__": "__snippet__"}
    assert found
    for language, text in found:
        if language == "python":
            exec(compile(text, page.name, "exec"), names)  # noqa: S102 (our own page)
        else:
            for line in text.splitlines():
                _command(line)


def _command(line: str) -> None:
    verb, *words = shlex.split(line, comments=True)
    assert verb == "seehear", line
    if words[0] == "serve":
        _served(words)
    else:
        assert main(words) == 0, line


def _served(words: list[str]) -> None:
    """The page comes up and says so."""
    server = subprocess.Popen(
        [sys.executable, "-m", "seehear", *words, "--port", "0", "--json"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        document, decoder = "", json.JSONDecoder()
        for line in server.stdout:
            document += line
            try:
                said, _ = decoder.raw_decode(document)
                break
            except json.JSONDecodeError:
                continue
        assert said["url"].startswith("http://127.0.0.1:")
    finally:
        server.terminate()
        server.wait(20)


def test_the_pages_link_to_files_that_are_there() -> None:
    for page in [*PAGES, DOCS.parent / "README.md", *DOCS.glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
