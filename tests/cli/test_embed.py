"""`seehear embed` as machines and people call it."""

from pathlib import Path

import pytest

from tests.cli.calls import failure, machine, people
from tests.search.embedding_toys import table


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    return table(tmp_path / "clips.lance", 12)


def test_a_table_is_embedded_once(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = machine(capsys, "embed", "avsiam-world", clips)
    assert facts["columns"]["audio"] == "audio_avsiam_world"
    assert (facts["clips"], facts["embedded"], facts["vectors"]["audio"]) == (12, 12, 10)
    assert facts["skipped"] == {}
    assert "generated sounds and pictures only" in facts["notes"][0]
    said = people(capsys, "embed", "avsiam-world", clips)
    assert "already: nothing to do" in said
    assert "generated sounds and pictures only" in said
    assert "next: seehear search" in said


def test_a_folder_is_packed_and_embedded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from seehear.media import encode_wav
    from tests.search.embedding_toys import noise

    (tmp_path / "sounds").mkdir()
    for number in range(3):
        (tmp_path / "sounds" / f"{number}.wav").write_bytes(encode_wav(noise(number).audio))
    (tmp_path / "sounds" / "broken.wav").write_text("no sound")
    said = people(capsys, "embed", "avsiam-world", tmp_path / "sounds", "--workers", 1, "--name", "Mine!")
    assert "3 clips packed in" in said
    assert "not packed: 1 not a media file" in said
    assert "columns audio_mine, image_mine, audiovisual_mine" in said


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("nobody", "{clips}"), 2, "nobody"),
        (("avsiam-world", "{clips}.no.lance"), 5, "there is no table"),
        (("avsiam-world", "{clips}", "--keep-video"), 2, "is packed already"),
        (("avsiam-world", "{clips}", "--precision", "fp8"), 2, "fp8"),
    ],
)
def test_mistakes_are_one_line(clips: Path, capsys, words: tuple[str, ...], status: int, message: str) -> None:
    found, line = failure(capsys, "embed", *(word.format(clips=clips) for word in words))
    assert found == status
    assert message in line
