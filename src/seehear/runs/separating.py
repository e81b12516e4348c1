"""The sounds of a clip, or of two clips added up, each by its picture: WAV files, a sheet, and figures in numbers.

Legend: K sources, n samples of the mixture.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seehear.contracts import SAMPLE_RATE
from seehear.errors import StorageError, UsageError
from seehear.media import Pool, encode_wav
from seehear.media.atomic import atomic_file
from seehear.metrics.separation import VARIANT, bss_eval, too_quiet
from seehear.reports.pictures import encode_png
from seehear.reports.separation_sheet import Row, separation_sheet
from seehear.runs.localizing import check_new
from seehear.runs.regions import HALVES, WHOLE, Kind, cropped, peaks
from seehear.runs.show import Show
from seehear.runs.sounding_maps import Region, sounding_maps
from seehear.runs.stretch import Stretch, check_reads_both
from seehear.runs.taking_apart import check_separates, take_apart
from seehear.tasks.separation import MOST_DB
from seehear.weights import Encoder

SHEET, DOCUMENT, MIXTURE = "separation.png", "separation.json", "mixture.wav"
MOST_SOURCES = 4
_HOP_SECONDS, _SHOWN_SIDE = 0.5, 320


@dataclass(frozen=True)
class Source:
    """One source.

    Attributes:
        sound: its WAV file.
        picture: its region of the middle picture, as PNG.
        clip: whose picture it is.
        region: left, top, right, bottom, as shares of the picture.
        true_sound: WAV file of what it truly is; None where that is not known.
        sdr: of the sound, in decibels; None where it is not known or too quiet to be scored.
        mixture_sdr: of the mixture in its place: what doing nothing scores.
    """

    sound: str
    picture: str
    clip: str
    region: Region
    true_sound: str | None
    sdr: float | None
    mixture_sdr: float | None


@dataclass(frozen=True)
class Separated:
    """What was found and written.

    Attributes:
        clips: the files.
        model: who took them apart.
        weights: hash of its weights.
        knows: what the model knows, or "".
        mixture: WAV file of what was taken apart.
        sheet: pictures, regions and spectrograms.
        document: this as JSON.
        seconds: length of all sounds.
        regions: how the regions were chosen.
        window_seconds: what the model reads at once; windows overlap by half.
        gain: by which all written sounds were multiplied, to stay within full scale.
        variant: of the figures, "" where there are none.
        sources: each.
        notes: what to know when listening.
    """

    clips: tuple[str, ...]
    model: str
    weights: str
    knows: str
    mixture: str
    sheet: str
    document: str
    seconds: float
    regions: str
    window_seconds: float
    gain: float
    variant: str
    sources: tuple[Source, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Part:
    """A source before it is heard alone."""

    stretch: Stretch
    region: Region
    true: NDArray[np.float32] | None

    def pictures(self, side: int, seconds: NDArray[np.float64]) -> NDArray[np.uint8]:
        return cropped(self.stretch.pictures(np.minimum(seconds, self.stretch.seconds), side), self.region)


def separate(
    encoder: Encoder,
    clips: tuple[Path, ...],
    folder: Path,
    show: Show,
    *,
    regions: Kind = "peaks",
    count: int = 2,
    from_seconds: float = 0.0,
    to_seconds: float | None = None,
    overwrite: bool = False,
) -> Separated:
    """Take a clip apart by regions of its picture; or two clips, added up and cut to the shorter, by their pictures.

    Args:
        encoder: a model that separates.
        clips: one, or two to mix.
        folder: where to write; made if it is not there.
        show: where progress is shown.
        regions: of one clip: the halves of its picture, or the peaks of the model's own map.
        count: how many peaks.
        from_seconds: where to begin in each clip.
        to_seconds: where to end; None for the end.
        overwrite: replace files that exist.

    Raises:
        UsageError: for a model that does not separate, or a wrong stretch or count.
        MediaError, DataError: for a clip that is broken, too long, without sound or picture, or silent.
        StorageError: if a file exists already or cannot be written.
    """
    method, name = encoder.method, encoder.about.name
    check_separates(method, name)
    check_reads_both(method, name)
    if len(clips) not in (1, 2) or not 1 <= count <= MOST_SOURCES or (regions == "halves" and count != 2):
        raise UsageError(
            f"{count} sources of {len(clips)} clips",
            expected=f"one or two clips, 1 to {MOST_SOURCES} peaks or 2 halves",
        )
    if folder.exists() and not folder.is_dir():
        raise StorageError(f"{folder} is no folder", expected="a folder to write to")
    if folder.is_dir():
        check_new(_names(folder, 2 if len(clips) == 2 else count, mixed=len(clips) == 2), overwrite)
    with Pool(1) as pool:
        stretches = [Stretch(clip, pool, from_seconds, to_seconds) for clip in clips]
        samples = min(len(stretch.sound) for stretch in stretches)
        sounds = [stretch.sound[:samples].astype(np.float32) / 32768.0 for stretch in stretches]
        if len(clips) == 2:
            parts = [_Part(one, WHOLE, sound) for one, sound in zip(stretches, sounds, strict=True)]
        else:
            parts = [
                _Part(stretches[0], region, None) for region in _regions(encoder, stretches[0], regions, count, show)
            ]
        mixture = np.stack(sounds).sum(axis=0, dtype=np.float32)
        found = _taken_apart(encoder, mixture, parts, show)
        return _written(encoder, parts, mixture, found, folder, "clips" if len(clips) == 2 else regions, stretches)


def _names(folder: Path, count: int, mixed: bool) -> tuple[Path, ...]:
    """Every file that is written."""
    each = [f"{kind}_{n}.{end}" for n in range(1, count + 1) for kind, end in (("source", "wav"), ("source", "png"))]
    true = [f"true_{n}.wav" for n in range(1, count + 1)] if mixed else []
    return tuple(folder / name for name in (SHEET, DOCUMENT, MIXTURE, *each, *true))


def _regions(encoder: Encoder, stretch: Stretch, kind: Kind, count: int, show: Show) -> list[Region]:
    if kind == "halves":
        return list(HALVES)
    with show.progress("finding", unit="maps") as bar:
        return peaks(sounding_maps(encoder.method, stretch, _HOP_SECONDS, bar), count)


def _taken_apart(encoder: Encoder, mixture: NDArray[np.float32], parts: list[_Part], show: Show) -> NDArray[np.float32]:
    need = encoder.method.needs.frames
    assert need is not None
    side = 2 * max(need.height, need.width)  # half of it may be shown
    with show.progress("separating", unit="windows") as bar:
        pictures = [partial(part.pictures, side) for part in parts]
        return take_apart(encoder.method, encoder.about.name, mixture, pictures, bar)


def _figures(
    parts: list[_Part], mixture: NDArray[np.float32], found: NDArray[np.float32]
) -> list[tuple[float | None, float | None]]:
    """SDR of each estimate, and of the mixture in its place, in decibels."""
    if any(part.true is None for part in parts):
        return [(None, None)] * len(parts)
    true = np.stack([part.true for part in parts if part.true is not None]).astype(np.float64)
    if too_quiet(true):
        return [(None, None)] * len(parts)
    floor = bss_eval(true, np.stack([mixture] * len(parts)).astype(np.float64))[0]
    own = None if too_quiet(found.astype(np.float64)) else bss_eval(true, found.astype(np.float64))[0]
    return [(None if own is None else _held(own[k]), _held(floor[k])) for k in range(len(parts))]


def _held(decibels: float) -> float:
    """As the task's figures: within 100 dB."""
    return float(np.clip(decibels, -MOST_DB, MOST_DB))


def _written(
    encoder: Encoder,
    parts: list[_Part],
    mixture: NDArray[np.float32],
    found: NDArray[np.float32],
    folder: Path,
    kind: str,
    stretches: list[Stretch],
) -> Separated:
    audio, figures = encoder.method.needs.audio, _figures(parts, mixture, found)
    assert audio is not None
    gain = min(1.0, 1.0 / max(1e-9, float(np.abs(mixture).max()), float(np.abs(found).max())))
    sources = tuple(_source(folder, k, part, figures[k - 1]) for k, part in enumerate(parts, start=1))
    knows = (f"{encoder.about.name}: {encoder.about.knows}",) if encoder.about.knows else ()
    document = Separated(
        clips=tuple(stretch.path for stretch in stretches),
        model=encoder.about.name,
        weights=encoder.about.weights,
        knows=encoder.about.knows,
        mixture=str(folder / MIXTURE),
        sheet=str(folder / SHEET),
        document=str(folder / DOCUMENT),
        seconds=len(mixture) / SAMPLE_RATE,
        regions=kind,
        window_seconds=audio.seconds,
        gain=gain,
        variant=VARIANT if figures[0][1] is not None else "",
        sources=sources,
        notes=_notes(stretches, mixture, gain, figures),
    )
    middle = np.array([len(mixture) / SAMPLE_RATE / 2])
    shown = [part.stretch.pictures(middle, _SHOWN_SIDE) for part in parts]
    rows = [
        Row(_said(k + 1, sources[k]), shown[k][0], part.region, found[k], part.true) for k, part in enumerate(parts)
    ]
    title = f"{' + '.join(Path(one).name for one in document.clips)}, taken apart by {document.model}"
    sheet = separation_sheet(title, mixture, rows, SAMPLE_RATE, (*document.notes, *knows))
    files: dict[str, Callable[[], bytes]] = {MIXTURE: partial(_wav, mixture, gain), SHEET: lambda: sheet}
    for k, part in enumerate(parts):
        files[f"source_{k + 1}.wav"] = partial(_wav, found[k], gain)
        files[f"source_{k + 1}.png"] = partial(encode_png, np.ascontiguousarray(cropped(shown[k], part.region)[0]))
        if part.true is not None:
            files[f"true_{k + 1}.wav"] = partial(_wav, part.true, gain)
    text = (json.dumps(asdict(document), indent=1, allow_nan=False) + "\n").encode()
    _make(folder)
    for name, content in {**files, DOCUMENT: lambda: text}.items():
        with atomic_file(folder / name) as file:
            file.write(content())
    return document


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{folder} cannot be made ({error.strerror})", cause="no permission, or a full disk"
        ) from error


def _source(folder: Path, number: int, part: _Part, figures: tuple[float | None, float | None]) -> Source:
    true = None if part.true is None else str(folder / f"true_{number}.wav")
    sound, picture = (str(folder / f"source_{number}.{end}") for end in ("wav", "png"))
    return Source(sound, picture, part.stretch.path, part.region, true, *figures)


def _said(number: int, source: Source) -> str:
    figure = "" if source.sdr is None else f", SDR {source.sdr:.1f} dB (mixture {source.mixture_sdr or 0:.1f} dB)"
    return f"source {number}{figure}"


def _notes(
    stretches: list[Stretch],
    mixture: NDArray[np.float32],
    gain: float,
    figures: list[tuple[float | None, float | None]],
) -> tuple[str, ...]:
    notes = []
    if len({len(stretch.sound) for stretch in stretches}) > 1:
        lengths = " and ".join(f"{stretch.seconds:.2f} s" for stretch in stretches)
        notes.append(f"The clips last {lengths}: both were cut to {len(mixture) / SAMPLE_RATE:.2f} s.")
    if gain < 1:
        notes.append(f"All sounds were written at {gain:.3f} of their size, to stay within full scale.")
    if len(stretches) == 2 and any(own is None for own, _ in figures):
        notes.append("A sound is too quiet to be scored.")
    return tuple(notes)


def _wav(sound: NDArray[np.float32], gain: float) -> bytes:
    return encode_wav(np.clip(np.rint(sound * (gain * 32767)), -32768, 32767).astype(np.int16))
