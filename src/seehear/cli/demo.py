"""`seehear demo`: from nothing, or from a folder of videos, to a page that shows a network which sees and hears."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seehear.cli.console import Console
from seehear.cli.options import parse

EXAMPLES = (
    "seehear demo",
    "seehear demo --videos my_videos",
    "seehear demo --steps 100 --out runs/quick",
)
HEADLINES = ("R@1", "R@10", "agreement@1", "top-1", "masked MSE")


@dataclass(frozen=True)
class Options:
    """Make a world (or take videos), pack it, pretrain a tiny AVSiam, evaluate it, write report.html.

    About ten minutes on two CPU cores. Started again, it goes on where it stopped.
    """

    videos: Path | None = None
    """folder of videos; by default the embedded world is made"""
    out: Path | None = None
    """folder of the run; by default runs/demo, or runs/demo-NAME for a folder of videos"""
    steps: int | None = None
    """training steps; by default the recipe's, fewer for few clips"""
    seed: int = 0
    """of the world and of training"""


def run(arguments: Sequence[str], console: Console) -> dict[str, Any]:
    """Run every stage, print the figures and the report's path."""
    from seehear.runs.demonstration import demonstrate

    options = parse(Options, arguments, "demo", EXAMPLES)
    videos = options.videos and options.videos.expanduser()
    name = "demo" if videos is None else f"demo-{videos.resolve().name}"
    folder = options.out or Path("runs") / name
    done = demonstrate(folder, console, videos=videos, steps=options.steps, seed=options.seed)
    shown = [f for f in done.figures if f.name.endswith(HEADLINES)]
    console.figures(f"{folder}, measured on split {done.split!r}", shown)
    minutes = sum(done.seconds.values()) / 60
    program = sys.argv[0] if sys.argv[0].endswith("seehear") else "seehear"  # as it was called, e.g. by make
    console.line(f"{minutes:.1f} minutes; all figures: {program} evaluate {folder}")
    console.line(f"report: {done.report}")
    return {
        "folder": done.folder,
        "report": done.report,
        "split": done.split,
        "seconds": done.seconds,
        "figures": done.figures,
    }
