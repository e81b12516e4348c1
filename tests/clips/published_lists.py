"""Tiny lists in the forms of the published ones, and clips to go with them."""

from pathlib import Path

import numpy as np

CLASSES = (
    'index,mid,display_name\n0,/m/09x0r,"Speech"\n2,/m/0bt9lr,"Dog"\n1,/t/dd00004,"Female speech, woman speaking"\n'
)
HEADING = (
    "# Segments csv created Sun Mar  5 10:54:25 2017\n"
    "# num_ytids=2, num_segs=2, num_unique_labels=2, num_positive_labels=3\n"
    "# YTID, start_seconds, end_seconds, positive_labels\n"
)


SPEECH, WOMAN, DOG = "Speech", "Female speech, woman speaking", "Dog"  # in the order of their index


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def class_list(folder: Path) -> Path:
    return write(folder / "class_labels_indices.csv", CLASSES)


def segments(folder: Path, *rows: str) -> Path:
    return write(folder / "eval_segments.csv", HEADING + "".join(f"{row}\n" for row in rows))


def make_clip(
    path: Path, seconds: float = 1.0, pitch: float = 400.0, loudness: float = 0.3, sound: bool = True
) -> Path:
    """A small mp4: frames that grow brighter, and a tone. The same arguments give the same bytes."""
    from seehear.media import write_video

    path.parent.mkdir(parents=True, exist_ok=True)
    count = round(seconds * 10)
    pixels = np.zeros((count, 32, 48, 3), np.uint8) + np.linspace(20, 230, count).astype(np.uint8)[:, None, None, None]
    tone = 32767 * loudness * np.sin(2 * np.pi * pitch * np.arange(round(seconds * 16_000)) / 16_000)
    write_video(path, pixels, 10, tone.astype(np.int16) if sound else None)
    return path
