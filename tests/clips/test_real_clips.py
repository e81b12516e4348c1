"""The six real files: what each gives, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from seehear import clips
from seehear.clips import pack
from seehear.contracts import AudioNeed, FrameNeed, Needs

ALL = Needs(AudioNeed(60.0), FrameNeed(10, 64, 64))


@pytest.fixture(scope="module")
def both(real_clips: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[clips.TableClips, clips.PackReport]:
    path = tmp_path_factory.mktemp("real") / "t.lance"
    report = pack(real_clips, path, size=96)
    return clips.TableClips(path), report


def test_audiovisual_refuses_the_silent_clip_and_the_sound_file(both: tuple) -> None:
    table, report = both
    assert {skip.file: skip.reason for skip in report.skips} == {
        "kinetics_dog_silent.mp4": "no audio track",
        "audioset_--BfvyPmVMo.wav": "no video track",
    }
    assert (report.clips, report.files, report.ignored) == (4, 6, {"md": 1})
    assert table.names == [
        "audioset_00W1lcxW-WU.mp4",
        "kinetics_goat.mp4",
        "music_one_frame.mp4",
        "vggsound_KlsG1EnBEjc.mp4",
    ]


@pytest.mark.parametrize(
    ("index", "seconds", "frames", "last"),
    [(0, 10.0, 10, 9.44), (1, 5.0, 10, 4.733), (2, 3.0, 1, 0.0), (3, 10.008, 10, 9.476)],
)
def test_facts_of_each_clip(both: tuple, index: int, seconds: float, frames: int, last: float) -> None:
    clip = both[0].read(index, ALL)
    assert clip.duration_seconds == pytest.approx(seconds, abs=0.001)
    assert len(clip.audio) / 16_000 == pytest.approx(seconds, abs=0.001)
    assert len(np.unique(clip.frame_seconds)) == frames
    assert clip.frame_seconds[-1] == pytest.approx(last, abs=0.001)
    assert clip.frames.std() > 10  # a scene, not a flat colour
    assert (clip.audio.std() > 100) == (index != 1)  # the goat's sound track holds nothing but zeros


def test_image_keeps_the_silent_clip(real_clips: Path, tmp_path: Path) -> None:
    report = pack(real_clips, tmp_path / "t.lance", modality="image", size=64, frames=2)
    assert {skip.file: skip.reason for skip in report.skips} == {"audioset_--BfvyPmVMo.wav": "no video track"}
    assert (report.clips, report.with_image, report.with_audio) == (5, 5, 0)


def test_the_folder_itself_is_a_source(real_clips: Path) -> None:
    source = clips.open(real_clips)
    assert len(source) == 6
    assert source.has_audio.tolist() == [True, True, False, True, True, True]
    assert source.has_image.tolist() == [False, True, True, True, True, True]
    batches = list(clips.in_order(source, Needs(AudioNeed(3.0), FrameNeed(1, 64, 64)), 4))
    assert [len(batch) for batch in batches] == [4, 2]
    assert batches[0]["has_audio"].tolist() == [True, True, False, True]
    assert batches[0]["waveform_samples"].tolist() == [48_000, 48_000, 0, 48_000]
