"""Is anything slower than it was? Measures anew and compares every ratio with the last recorded run of its benchmark.

    python -m benchmarks.check               # as long as `make bench`; exit status 1 if a ratio is more than 10 % worse
    python -m benchmarks.check --only step_S # one benchmark
    python -m benchmarks.check --recorded    # no measuring: the last two recorded runs of every benchmark, in a second
    python -m benchmarks.check --record      # measure the same benchmarks and record them, that is `make bench`

Compared are numbers of cells whose name begins with "ratio" (larger is better); a cell or ratio that is gone counts as
worse, a new one is named and passes. Ratios of other machines are compared too, but said to be so: they may differ for
that reason alone. What is measured goes to a temporary folder; only with `--record` is it kept.
"""

import argparse
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.kit import record

MEASURE = "--measure-into"
SUITE: dict[str, tuple[str, ...]] = {  # by name of its results: the module to run and its options
    "step_S": ("benchmarks.step", "--size", "S"),
    "step_proof": ("benchmarks.step", "--size", "proof"),
    "inference_S": ("benchmarks.inference", "--size", "S"),
    "retrieval": ("benchmarks.retrieval",),
}
ALLOWED = 0.10
MACHINE = ("cpu", "cores", "threads", "torch", "python")


@dataclass(frozen=True)
class Worse:
    """A ratio that fell: in which benchmark and cell, found now, recorded before and at which commit."""

    benchmark: str
    cell: str
    name: str
    found: float | None
    recorded: float
    commit: str

    def __str__(self) -> str:
        now = "is gone" if self.found is None else f"{self.found:.4g}"
        return f"{self.benchmark}, {self.cell}, {self.name}: {now}, recorded {self.recorded:.4g} at {self.commit}"


def main() -> int:
    """Compare, tell, and return the exit status."""
    if len(sys.argv) > 3 and sys.argv[1] == MEASURE:
        _measure_here(Path(sys.argv[2]), *sys.argv[3:])
        return 0
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", nargs="+", choices=SUITE, default=list(SUITE))
    options.add_argument("--recorded", action="store_true", help="compare the last two recorded runs")
    options.add_argument("--record", action="store_true", help="measure and record, compare nothing")
    chosen = options.parse_args()
    if chosen.record:
        measure(chosen.only, record.RESULTS)
        return 0
    if chosen.recorded:
        return report(recorded_pairs(record.RESULTS))
    with tempfile.TemporaryDirectory() as folder:
        measure(chosen.only, Path(folder))
        return report(measured_pairs(chosen.only, Path(folder), record.RESULTS))


Pair = tuple[str, dict | None, dict | None]  # benchmark, the run to judge, the run to hold it against


def recorded_pairs(results: Path) -> Iterator[Pair]:
    """The last two runs of every benchmark in `results`."""
    for path in sorted(results.glob("*.jsonl")):
        runs = record.runs(path.stem, results)
        yield path.stem, runs[-1] if runs else None, runs[-2] if len(runs) > 1 else None


def measured_pairs(names: Sequence[str], measured: Path, results: Path) -> Iterator[Pair]:
    """What was measured now, against the last recorded run."""
    for name in names:
        now, before = record.runs(name, measured), record.runs(name, results)
        yield name, now[-1] if now else None, before[-1] if before else None


def report(pairs: Iterator[Pair]) -> int:
    """Print what is to be said of every benchmark; 1 if a ratio is worse or a run is missing, else 0."""
    status = 0
    for name, now, before in pairs:
        if now is None:
            print(f"{name}: nothing was measured")
            status = 1
            continue
        if before is None:
            print(f"{name}: nothing to compare with")
            continue
        for text in other_machine(now, before):
            print(f"{name}: {text}")
        fallen, compared = worse(name, now, before), len(_ratios(before))
        for one in fallen:
            print(f"worse: {one}")
        for cell, ratio in sorted(_ratios(now).keys() - _ratios(before).keys()):
            print(f"{name}, {cell}, {ratio}: new")
        print(f"{name}: {len(fallen)} of {compared} ratios more than {ALLOWED:.0%} worse than at {before['commit']}")
        status |= bool(fallen)
    return status


def worse(name: str, now: Mapping, before: Mapping) -> list[Worse]:
    """Ratios of `before` that `now` lacks, or has more than the allowed share lower."""
    found = _ratios(now)
    return [
        Worse(name, cell, ratio, found.get((cell, ratio)), value, before["commit"])
        for (cell, ratio), value in _ratios(before).items()
        if not found.get((cell, ratio), 0.0) >= (1 - ALLOWED) * value
    ]


def other_machine(now: Mapping, before: Mapping) -> list[str]:
    """In what the machines differ."""
    pairs = [(key, before["machine"].get(key), now["machine"].get(key)) for key in MACHINE]
    return [f"another machine: {key} was {old!r}, is {new!r}" for key, old, new in pairs if old != new]


def measure(names: Sequence[str], folder: Path) -> None:
    """Run each benchmark in a process of its own, its results into `folder`.

    Raises:
        CalledProcessError: if one of them fails.
    """
    for command in dict.fromkeys(SUITE[name] for name in names):
        subprocess.run([sys.executable, "-m", "benchmarks.check", MEASURE, str(folder), *command], check=True)


def _measure_here(folder: Path, module: str, *options: str) -> None:
    """Run a benchmark's module as `python -m` would, its record redirected."""
    record.add = partial(record.add, folder=folder)
    sys.argv = [module, *options]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _ratios(run: Mapping) -> dict[tuple[str, str], float]:
    return {
        (cell, key): float(value)
        for cell, values in run["cells"].items()
        for key, value in values.items()
        if key.startswith("ratio")
    }


if __name__ == "__main__":
    raise SystemExit(main())
