"""Speed of the world: milliseconds per clip on one core, by preset, size and track, beside the clips' own length.

    python -m benchmarks.world       # about 4 minutes; writes benchmarks/results/world.jsonl

`realtime` is the length of what was made over the time that it took. Each cell draws, paints and sounds the same
clips: once as arrays, once as mp4 files by one worker. What every build costs, however few its clips (fingerprint,
check), is taken off by a second, small build.
"""

import tempfile
import time
from pathlib import Path

from benchmarks.kit import machine, record
from seehear import world
from seehear.world.presets import resolve
from seehear.world.tracks import TRACKS

CLIPS, FEW = 40, 8  # a build's check draws as many clips again as the small build has
SIZES = (("tiny", 96), ("base", 96), ("base", 128), ("base", 224))


def main() -> None:
    """Measure, print and write the table."""
    cells = {f"{preset}, {size} px": cell(preset, size=size) for preset, size in SIZES}
    for letter, track in TRACKS.items():
        if letter != "A":
            cells[f"track {letter} ({track.name}), 96 px"] = cell("base", size=96, track=letter)
    record.add("world", machine.describe(1), cells)


def cell(preset: str, **choices: object) -> dict[str, float]:
    """One row."""
    chosen = resolve(preset, clips={"train": CLIPS + FEW}, **choices)
    world.render(world.scene(chosen, "train", 0, 1))  # caches of tiles and tables
    start = time.perf_counter()
    for index in range(CLIPS):
        world.render(world.scene(chosen, "train", index, 0))
    arrays = (time.perf_counter() - start) / CLIPS
    few = resolve(chosen, clips={"train": FEW})
    with tempfile.TemporaryDirectory() as folder:
        small, whole = (
            world.build(Path(folder) / str(k), own, workers=1).seconds for k, own in enumerate((few, chosen))
        )
    files = (whole - small) / CLIPS
    return {
        "ms_per_clip": round(1e3 * files, 1),
        "ms_per_clip_in_memory": round(1e3 * arrays, 1),
        "realtime": round(chosen.format.seconds / files, 1),
    }


if __name__ == "__main__":
    main()
