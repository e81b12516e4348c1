"""The record of results: one line of JSON per run in `benchmarks/results/NAME.jsonl`, newest last.

A line holds date, commit, machine and cells. Numbers of a cell whose name begins with "ratio" are better when larger
and are what `benchmarks/check.py` compares; everything else is there to be read.
"""

import datetime
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

RESULTS = Path(__file__).parents[1] / "results"
Cells = Mapping[str, Mapping[str, object]]


def add(name: str, machine: Mapping[str, object], cells: Cells, folder: Path = RESULTS) -> Path:
    """Append a run to `NAME.jsonl` and print its cells."""
    path = folder / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    run = {"date": datetime.date.today().isoformat(), "commit": commit(), "machine": machine, "cells": _rounded(cells)}
    with path.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(run) + "\n")
    for cell, values in run["cells"].items():
        print(f"{cell:44}", ", ".join(f"{key} {value}" for key, value in values.items()), flush=True)
    return path


def runs(name: str, folder: Path = RESULTS) -> list[dict]:
    """All recorded runs of a benchmark, oldest first; empty if there are none."""
    path = folder / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def commit() -> str:
    """The checkout's commit, with a plus where files differ from it; "unknown" outside a checkout."""

    def ask(*words: str) -> str:
        command = ["git", "-C", str(RESULTS.parent), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return ask("rev-parse", "--short", "HEAD") + ("+" if ask("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _rounded(cells: Cells) -> dict[str, dict[str, object]]:
    def short(value: object) -> object:
        return float(f"{value:.4g}") if isinstance(value, float) else value

    return {cell: {key: short(value) for key, value in values.items()} for cell, values in cells.items()}
