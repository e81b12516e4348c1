"""Where the sound of a clip is seen: its video with a heat map over time, a sheet, and the places in numbers.

Legend: T frames, K tiles.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seehear.errors import StorageError, UsageError
from seehear.media import Pool, stream_video
from seehear.media.atomic import atomic_file
from seehear.reports.heat_map import overlaid
from seehear.reports.heat_sheet import Sheet, heat_sheet
from seehear.runs.show import Bar, Show
from seehear.runs.sounding_maps import SoundingMaps, sounding_maps
from seehear.runs.stretch import SILENT_DB, Stretch, check_reads_both
from seehear.weights import Encoder

SHOWN = 8  # pictures of the sheet
SHEET_SIDE = 320
RELATIVE = (
    "Colours run from the least to the greatest value of this clip: there is always a warmest place, even where nothing"
    " in the picture sounds."
)


@dataclass(frozen=True)
class Tile:
    """One hop of the clip; seconds count from the beginning of the file.

    Attributes:
        middle_seconds: when its picture is shown.
        sound_from_seconds: where the sound begins that was compared with it.
        sound_to_seconds: where that ends.
        silent: nothing is to be heard around the middle, so there is no map.
        peak: where the map is greatest, (x, y) as shares of the picture's width and height from the top left.
        score: its value there, in the model's own scale.
        mean: over the picture.
    """

    middle_seconds: float
    sound_from_seconds: float
    sound_to_seconds: float
    silent: bool
    peak: tuple[float, float] | None
    score: float | None
    mean: float | None


@dataclass(frozen=True)
class Localized:
    """What was found and written.

    Attributes:
        clip: the file.
        model: whose maps they are.
        weights: hash of its weights.
        knows: what the model knows, or "".
        video: the file with the heat map.
        picture: the sheet.
        document: this as JSON.
        from_seconds: beginning of the stretch.
        to_seconds: its end.
        hop_seconds: of a tile.
        window_seconds: of sound compared with each picture.
        grid: rows and columns of a map.
        seen: left, top, right, bottom of what the model sees, as shares of the picture.
        extremes: least and greatest value, which the colours run between.
        silent_below_db: what counts as silent.
        silent: stretches without a map, (from, to) in seconds.
        tiles: each hop.
        notes: what to know when looking at it.
    """

    clip: str
    model: str
    weights: str
    knows: str
    video: str
    picture: str
    document: str
    from_seconds: float
    to_seconds: float
    hop_seconds: float
    window_seconds: float
    grid: tuple[int, int]
    seen: tuple[float, float, float, float]
    extremes: tuple[float, float]
    silent_below_db: float
    silent: tuple[tuple[float, float], ...]
    tiles: tuple[Tile, ...]
    notes: tuple[str, ...]


def localize(
    encoder: Encoder,
    clip: Path,
    out: Path,
    show: Show,
    *,
    hop: float = 0.5,
    shorter_side: int = 480,
    from_seconds: float = 0.0,
    to_seconds: float | None = None,
    overwrite: bool = False,
) -> Localized:
    """Write `out` (mp4) with the heat map and the clip's sound, and beside it a sheet (.png) and the numbers (.json).

    Args:
        encoder: a model of sound and pictures.
        clip: the file.
        out: the video to write.
        show: where progress is shown.
        hop: seconds from one map to the next.
        shorter_side: pixels; larger clips are reduced to it.
        from_seconds: where to begin in the clip.
        to_seconds: where to end; None for its end.
        overwrite: replace files that exist.

    Raises:
        UsageError: for a model without sound, pictures or places in them, or a wrong stretch, hop or size.
        MediaError: for a clip that is broken, too long, or without sound or picture.
        DataError: for a clip in which nothing is to be heard.
        StorageError: if a file exists already or cannot be written.
    """
    picture, document = out.with_suffix(".png"), out.with_suffix(".json")
    _check(clip, out, shorter_side)
    check_new((out, picture, document), overwrite)
    check_reads_both(encoder.method, encoder.about.name)
    with Pool(1) as pool:
        stretch = Stretch(clip, pool, from_seconds, to_seconds)
        with show.progress("finding", unit="maps") as bar:
            maps = sounding_maps(encoder.method, stretch, hop, bar)
        found = _described(encoder, stretch, maps, out, picture, document)
        sheet = _sheet(stretch, maps, found)
        with show.progress("drawing", max(1, round(stretch.seconds * stretch.frames_per_second)), "frames") as bar:
            stream_video(out, _drawn(stretch, maps, shorter_side, bar), stretch.frames_per_second, stretch.sound)
    with atomic_file(picture) as file:
        file.write(sheet)
    with atomic_file(document) as file:
        file.write((json.dumps(asdict(found), indent=1, allow_nan=False) + "\n").encode())
    return found


def check_new(files: tuple[Path, ...], overwrite: bool) -> None:
    """Refuse to replace what was not meant to be, and a folder that is not there.

    Raises:
        StorageError: naming it.
    """
    for file in files:
        if file.exists() and not overwrite:
            raise StorageError(f"{file} exists", expected="a new file", cure="another name, or --overwrite")
        if not file.parent.is_dir():
            raise StorageError(f"{file.parent} is no folder", cure=f"mkdir -p {file.parent}")


def _check(clip: Path, out: Path, shorter_side: int) -> None:
    if out.suffix.lower() != ".mp4":
        raise UsageError(f"--out {out}", expected="a name that ends in .mp4")
    if out.exists() and clip.exists() and out.samefile(clip):
        raise UsageError(f"{out} is the clip itself", expected="another file to write")
    if shorter_side < 16:
        raise UsageError(f"a shorter side of {shorter_side} pixels", expected="at least 16")


def _drawn(stretch: Stretch, maps: SoundingMaps, shorter_side: int, bar: Bar) -> Iterator[NDArray[np.uint8]]:
    done = 0
    for times, pixels in stretch.frames(shorter_side):
        yield overlaid(pixels, [maps.at(float(time)) for time in times], maps.region)
        done += len(times)
        bar(done)


def _described(
    encoder: Encoder, stretch: Stretch, maps: SoundingMaps, out: Path, picture: Path, document: Path
) -> Localized:
    tiles = tuple(_tile(stretch, maps, number) for number in range(len(maps.middles)))
    low, high = maps.extremes
    notes = [RELATIVE]
    if low == high:
        notes.insert(0, "The maps of this clip are the same everywhere: the model tells no place from another.")
    if stretch.seconds <= maps.window_seconds:
        notes.append(f"The model hears {maps.window_seconds:g} s at once, so every map is of the whole sound.")
    silent = _silent(stretch, maps)
    if silent:
        said = ", ".join(f"{a:.2f} to {b:.2f} s" for a, b in silent)
        notes.append(f"Silent, and so without a map: {said}.")
    return Localized(
        clip=str(stretch.path),
        model=encoder.about.name,
        weights=encoder.about.weights,
        knows=encoder.about.knows,
        video=str(out),
        picture=str(picture),
        document=str(document),
        from_seconds=stretch.start_seconds,
        to_seconds=stretch.start_seconds + stretch.seconds,
        hop_seconds=maps.hop,
        window_seconds=maps.window_seconds,
        grid=(maps.maps.shape[1], maps.maps.shape[2]),
        seen=maps.region,
        extremes=(low, high),
        silent_below_db=SILENT_DB,
        silent=silent,
        tiles=tiles,
        notes=tuple(notes),
    )


def _tile(stretch: Stretch, maps: SoundingMaps, number: int) -> Tile:
    first, silent = stretch.start_seconds, bool(maps.silent[number])
    begin = float(maps.begins[number])
    end = min(begin + maps.window_seconds, stretch.seconds)
    values = maps.maps[number]
    return Tile(
        first + float(maps.middles[number]),
        first + begin,
        first + end,
        silent,
        maps.peak(number),
        None if silent else float(values.max()),
        None if silent else float(values.mean()),
    )


def _silent(stretch: Stretch, maps: SoundingMaps) -> tuple[tuple[float, float], ...]:
    """Runs of silent tiles."""
    found: list[tuple[float, float]] = []
    for number in np.flatnonzero(maps.silent):
        begin, end = (stretch.start_seconds + float(edge) for edge in maps.edges[number : number + 2])
        if found and abs(found[-1][1] - begin) < 1e-6:
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return tuple(found)


def _sheet(stretch: Stretch, maps: SoundingMaps, found: Localized) -> bytes:
    """At most `SHOWN` tiles, evenly spread."""
    count = min(SHOWN, len(maps.middles))
    shown = ((np.arange(count) + 0.5) * len(maps.middles) / count).astype(int)
    times = maps.middles[shown]
    pixels = stretch.pictures(times, SHEET_SIDE)
    knows = (f"{found.model}: {found.knows}",) if found.knows else ()
    return heat_sheet(
        Sheet(
            title=f"{Path(found.clip).name}, as {found.model} places its sound",
            pictures=overlaid(pixels, [maps.at(float(time)) for time in times], maps.region),
            seconds=[stretch.start_seconds + float(time) for time in times],
            peaks=[maps.peak(int(number)) for number in shown],
            sound=stretch.sound,
            duration_seconds=stretch.seconds,
            middles=maps.middles,
            scores=np.array([np.nan if tile.score is None else tile.score for tile in found.tiles]),
            hop=maps.hop,
            extremes=found.extremes,
            notes=(*found.notes, *knows),
        )
    )
