"""Speeds of the parts that the demo is made of: world, packing and loading on one core, the tiny model's step on all.

    python -m benchmarks.first_light # about 2 minutes; writes benchmarks/results/first_light.jsonl

Every figure stands beside what it is measured against in the same run. Memory is that of a process of its own.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from benchmarks.kit import machine, record

CLIPS, BATCH, STEPS = 96, 80, 12


def main() -> None:
    """Run the cells, each in a process of its own, print and write the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--cell", choices=CELLS, help="one cell, as JSON (used by the run itself)")
    options.add_argument("--folder", type=Path)
    chosen = options.parse_args()
    if chosen.cell:
        print(json.dumps(CELLS[chosen.cell](chosen.folder)))
        return
    with tempfile.TemporaryDirectory() as folder:
        cells = {name: _apart(name, folder) for name in CELLS}
    record.add("first_light", machine.describe(), cells)


def _apart(cell: str, folder: str) -> dict[str, float]:
    """One cell in its own process: its peak memory is its own."""
    command = [sys.executable, "-m", "benchmarks.first_light", "--cell", cell, "--folder", folder]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(out.splitlines()[-1])


def _median_seconds(work: Callable[[], object], times: int) -> float:
    work()
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def _peak_mebibytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def world_cell(folder: Path) -> dict[str, float]:
    """Scenes to mp4 files by one worker; beside it scenes to arrays only."""
    from seehear import world

    start = time.perf_counter()
    world.build(folder / "world", "tiny", clips={"train": CLIPS, "val": 8, "test": 8}, workers=1)
    files = time.perf_counter() - start
    start = time.perf_counter()
    for index in range(32):
        world.render(world.scene("tiny", "train", index, 0))
    arrays = (time.perf_counter() - start) / 32
    total = CLIPS + 16
    return {
        "clips_per_second": total / files,
        "ms_per_clip": 1e3 * files / total,
        "ms_per_clip_in_memory": 1e3 * arrays,
    }


def pack_cell(folder: Path) -> dict[str, float]:
    """mp4 files to a table by one worker: 8 frames at 96 pixels and the whole sound."""
    from seehear import clips

    start = time.perf_counter()
    packed = clips.pack(
        folder / "world", folder / "clips.lance", clip_seconds=3.2, hop=3.2, frames=8, size=96, workers=1
    )
    seconds = time.perf_counter() - start
    return {"clips_per_second": packed.clips / seconds, "ms_per_clip": 1e3 * seconds / packed.clips}


def loader_cell(folder: Path) -> dict[str, float]:
    """Training batches from the table, one thread: one frame and the whole sound; beside it reading the mp4 files."""
    from seehear import clips
    from seehear.contracts import AudioNeed, FrameNeed, Needs
    from seehear.randomness import Randomness

    torch.set_num_threads(1)
    needs = Needs(AudioNeed(3.2), FrameNeed(1, 96, 96))

    def batches(source: clips.ClipSource, steps: int) -> Iterator[object]:
        sampler = clips.ShuffleSampler(source.ids, BATCH, 0)
        return clips.Loader(source, needs, sampler, Randomness(0, len(source)), threads=0).batches(0, steps)

    def rate(source: clips.ClipSource, steps: int) -> float:
        next(iter(batches(source, 1)))
        start = time.perf_counter()
        for _ in batches(source, steps):
            pass
        return steps * BATCH / (time.perf_counter() - start)

    table = rate(clips.open(str(folder / "clips.lance")), 20)
    files = rate(clips.open(str(folder / "world")), 2)
    return {"clips_per_second": table, "from_mp4_clips_per_second": files, "ratio": table / files}


def step_cell(folder: Path) -> dict[str, float]:
    """A training step of avsiam_tiny from waveform and frames, and the same network one group at a time."""
    from seehear import recipes
    from seehear.backbones.siamese_vit import Encoded
    from seehear.contracts import Batch
    from seehear.randomness import Randomness
    from seehear.runs.pretraining import build_method

    config = recipes.get("avsiam_tiny")
    model = build_method(config)
    numbers = torch.arange(BATCH)
    fields = {
        "waveform": torch.randint(-9000, 9000, (BATCH, 51_200)).to(torch.int16),
        "waveform_samples": torch.full((BATCH,), 51_200),
        "frames": torch.randint(0, 256, (BATCH, 1, 3, 96, 96)).to(torch.uint8),
    }
    batch = Batch(numbers, numbers, fields)
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)

    def step() -> None:
        optimizer.zero_grad()
        model(batch, Randomness(0, 1000))["loss"].backward()
        optimizer.step()

    packed = _median_seconds(step, STEPS)
    peak = _peak_mebibytes()
    together = model.trunk.forward
    model.trunk.forward = lambda groups: Encoded([together([g]).tokens[0] for g in groups], [])
    apart = _median_seconds(step, STEPS)
    return {
        "threads": torch.get_num_threads(),
        "ms_per_step": 1e3 * packed,
        "clips_per_second": BATCH / packed,
        "group_by_group_ms": 1e3 * apart,
        "ratio": apart / packed,
        "peak_mebibytes": peak,
    }


CELLS: dict[str, Callable[[Path], dict[str, float]]] = {
    "world": world_cell,
    "pack": pack_cell,
    "loader": loader_cell,
    "step": step_cell,
}

if __name__ == "__main__":
    main()
