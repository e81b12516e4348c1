"""The loader: clips per second and core from a table and from mp4, beside R0's pattern; memory; waiting for data.

    python -m benchmarks.loader           # about 8 minutes on a quiet machine
    python -m benchmarks.loader --long    # memory over 100,000 clips of the table: some 3 minutes more
    python -m benchmarks.loader --quick   # does it run? a minute, nothing recorded

A clip has 10 s at 30 frames per second, key frames every 30, and AAC (`loader_media.py`); read of it are one frame at
224 x 224 and all its sound as 16-bit samples. The filter bank is work of the step, not of the loader; R0 makes it
while loading, as the published code does. Each arm has one core for itself and its children. "mp4" is what a user
gets: a folder, decoded in a disposable process; "in place" is the same decoding without process and batches.
Rates are by the clock and by processor time: on a busy machine trust the second. Writes
benchmarks/results/loader.jsonl.
"""

import argparse
import os
import statistics
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmarks import loader_media
from benchmarks.kit import arms, machine, record
from benchmarks.kit.arms import Arm, Taken

PUBLISHED_MS = {"256x144": 98.0, "1280x720": 2545.0}  # its pattern, on a machine of about half this one's GEMM rate
GOALS = {"table": 600, "mp4": 150}
Cells = dict[str, dict[str, object]]


def main() -> None:
    """Make the media, run the cells, record them."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--long", action="store_true", help="memory over 100,000 clips")
    options.add_argument("--quick", action="store_true", help="few clips, one turn, nothing recorded")
    options.add_argument("--folder", type=Path, help="keep the media here for other runs")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.folder or Path(temporary)
        quick, most = chosen.quick, 100_000 if chosen.long else 20_000
        tables = prepare(folder, quick)
        about = machine.describe(1)
        cells = speeds(folder, tables, quick) | memory(folder, tables, 800 if quick else most) | waits(tables, quick)
    if quick:
        for name, cell in cells.items():
            print(f"{name:40}", cell)
    else:
        record.add("loader", about, cells)


def prepare(folder: Path, quick: bool) -> dict[str, str]:
    """Clips of every kind and the tables of those of 224 lines; returns the tables."""
    from seehear import clips

    count = 2 if quick else 24
    loader_media.make(folder / "own224", "own", count, 398, 224)
    if not quick:
        loader_media.make(folder / "other224", "other", 8, 398, 224)
        loader_media.make(folder / "own144", "own", 2, 256, 144)
        loader_media.make(folder / "own720", "own", 1, 1280, 720)
    many = folder / "many"  # the same files under several names: a table of more rows than one batch has
    many.mkdir(exist_ok=True)
    for number in range(count * 10):
        link, file = many / f"clip{number:04}.mp4", folder / "own224" / f"clip{number % count:04}.mp4"
        if not link.exists():
            os.link(file, link)
    tables = {"10 s": str(folder / "many.lance"), "3.2 s": str(folder / "small.lance")}
    clips.pack(many, tables["10 s"])
    clips.pack(many, tables["3.2 s"], clip_seconds=3.2, hop=3.2, frames=8, size=96)
    return tables


def speeds(folder: Path, tables: Mapping[str, str], quick: bool) -> Cells:
    """Clips per second and core of every arm, those of one size in turns with R0."""
    repeats, cells = (1 if quick else 7), {}
    small, large = (64, 640) if not quick else (16, 32)

    def mp4(name: str, count: int) -> dict[str, Arm]:
        path, quarter = str(folder / name), max(1, count // 4)
        return {
            "mp4": _arm("files", path=path, batch=min(count, 32), count=count),
            "mp4 in place": _arm("in_place", path=path, count=count),
            "R0": _arm("rival", path=path, count=min(quarter, 2)),
        }

    packed = {
        "table": _arm("table", path=tables["10 s"], batch=small, count=large),
        "table, memory given back": _arm("table", path=tables["10 s"], batch=small, count=large, memory_kept=False),
    }
    cells |= _compared("398x224", folder / "own224", packed | mp4("own224", 8 if quick else 128), repeats)
    if not quick:
        cells |= _compared("398x224 as ffmpeg writes", folder / "other224", mp4("other224", 64), repeats)
        cells |= _compared("256x144", folder / "own144", mp4("own144", 64), repeats)
        cells |= _compared("1280x720", folder / "own720", mp4("own720", 16), 3)
    for arm, goal in GOALS.items():
        cells[f"{arm}, 398x224"]["goal"] = goal
    bytes_of_table = sum(path.stat().st_size for path in Path(tables["10 s"]).rglob("*") if path.is_file())
    rows = len(list((folder / "many").iterdir()))
    for name in packed:
        cells[f"{name}, 398x224"]["file_bytes_per_clip"] = bytes_of_table / rows
    return cells


def _arm(function: str, **arguments: object) -> Arm:
    return Arm(f"benchmarks.loader_arms:{function}", arguments, threads=1)


def _compared(size: str, folder: Path, chosen: Mapping[str, Arm], repeats: int) -> Cells:
    """The arms in turns, each a row; beside it what the files take, and what the pattern was measured to take."""
    taken = arms.take_turns(chosen, repeats)
    cells = {f"{name}, {size}": _cell(found, taken["R0"], name) for name, found in taken.items()}
    for cell in cells.values():
        cell["file_bytes_per_clip"] = statistics.mean(path.stat().st_size for path in folder.glob("*.mp4"))
    if size in PUBLISHED_MS:
        cells[f"R0, {size}"]["published_ms_per_clip"] = PUBLISHED_MS[size]
    return cells


def _cell(found: Taken, rival: Taken, name: str) -> dict[str, object]:
    """One row of the table; the ratio is that of R0's time per clip to this arm's, over neighbouring turns."""
    counts = [values["clips"] for values in found.values]
    per_clip = [seconds / count for seconds, count in zip(found.seconds, counts, strict=True)]
    used = [values["processor_seconds"] / values["clips"] for values in found.values]
    cell: dict[str, object] = {
        "clips_per_second": 1 / statistics.median(per_clip),
        "clips_per_processor_second": 1 / statistics.median(used),
        "ms_per_clip": 1e3 * statistics.median(per_clip),
        "processor_ms_per_clip": 1e3 * statistics.median(used),
        "resident_mebibytes": max(values["resident_mebibytes"] for values in found.values),
        "children_mebibytes": max(values["children_mebibytes"] for values in found.values),
    }
    if "batch_bytes_per_clip" in found.values[0]:
        cell["batch_bytes_per_clip"] = found.values[0]["batch_bytes_per_clip"]
    if name != "R0":
        scale = counts[0] / rival.values[0]["clips"]
        cell |= {key: value * scale for key, value in arms.ratios(rival, found).items()}
    return cell


def memory(folder: Path, tables: Mapping[str, str], clips: int) -> Cells:
    """Memory of the process (and of its decoding process) over many clips, and the slope of a line through it.

    A process takes its buffers over the first thousands of clips; the second half says whether it goes on growing.
    """
    passes = 4 if clips < 1000 else 20
    chosen = {
        "table": _arm("table", path=tables["10 s"], batch=20, count=clips // passes),
        "mp4": _arm("files", path=str(folder / "own224"), batch=20, count=max(20, clips // passes // 10)),
    }
    cells: Cells = {}
    for name, arm in chosen.items():
        found = arms.take_turns({name: arm}, passes, warmup=2)[name]
        read = np.cumsum([values["clips"] for values in found.values])
        held = np.array([values["resident_mebibytes"] for values in found.values])
        cells[f"memory, {name}"] = {
            "clips": int(read[-1]),
            "slope_bytes_per_clip": _slope(read, held),
            "second_half_slope_bytes_per_clip": _slope(read[passes // 2 :], held[passes // 2 :]),
            "first_mebibytes": float(held[0]),
            "last_mebibytes": float(held[-1]),
            "most_mebibytes": float(held.max()),
            "children_mebibytes": max(values["children_mebibytes"] for values in found.values),
        }
    return cells


def _slope(read: np.ndarray, mebibytes: np.ndarray) -> float:
    """Bytes per clip of the line through what was held after so many clips."""
    return float(np.polyfit(read, mebibytes * 2**20, 1)[0])


def waits(tables: Mapping[str, str], quick: bool) -> Cells:
    """Share of the steps' time that was spent waiting for data."""
    steps, repeats = (5, 1) if quick else (30, 3)
    chosen = {
        f"wait, 64 clips beside {seconds} s of sleep, {threads} threads": _arm(
            "waiting", path=tables["10 s"], batch=64, steps=steps, step_seconds=seconds, threads=threads
        )
        for seconds in ((0.15,) if quick else (0.15, 0.5))
        for threads in ((1,) if quick else (1, 2))
    }
    chosen |= {
        f"wait, avsiam_tiny, {threads} threads": Arm(
            "benchmarks.loader_arms:training", {"path": tables["3.2 s"], "steps": steps, "threads": threads}, threads=2
        )
        for threads in ((1,) if quick else (0, 1, 2))
    }
    taken = arms.take_turns(chosen, repeats)
    return {
        name: {
            key: statistics.median(values[key] for values in found.values) for key in ("waited_share", "ms_per_step")
        }
        for name, found in taken.items()
    }


if __name__ == "__main__":
    main()
