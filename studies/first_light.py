"""Study: what a tiny AVSiam learns from 6,000 generated clips in half an hour on two CPU cores.

    make study-first-light            # about 40 minutes; restartable: finished stages are kept

Cells: world, table, run, evaluation. Writes `studies/results/first_light.json` and `docs/results.md`.
"""

import argparse
import json
import os
import platform
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr

from seehear import clips, recipes, tasks, world
from seehear.cli.console import Console
from seehear.contracts import Figure
from seehear.runs.evaluation import evaluate
from seehear.runs.pretraining import pretrain
from seehear.runs.reporting import report
from seehear.runs.show import TrainingBar
from seehear.training import RunConfig

FOLDER = Path("runs/study-first-light")
RESULT = Path("studies/results/first_light.jsonl")
SPEEDS = Path("benchmarks/results/first_light.jsonl")
PAGE = Path("docs/results.md")
PRESET, RECIPE = "small", "avsiam_small"
MODALITIES = ("audio", "image", "both")


def main() -> None:
    """Run every cell that is not done yet, then write the page."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--steps", type=int, help="fewer steps than the recipe's, for a try")
    options.add_argument("--note", default="", help="a sentence for the page, e.g. what else the machine did")
    chosen = options.parse_args()
    result = run(chosen.seed, chosen.steps) | {"note": chosen.note}
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(result), encoding="utf-8")
    print(f"{PAGE} and {RESULT} written; report: {FOLDER / 'report.html'}")


def run(seed: int, steps: int | None) -> dict:
    """All cells; returns the study's result."""
    show, config = Console(), configuration(seed, steps)
    with Cell("world"), show.progress("making the world") as bar:
        built = world.build(FOLDER / "world", PRESET, seed=seed, progress=bar)
    with Cell("table"), show.progress("packing", unit="files") as bar:
        clips.pack(
            FOLDER / "world",
            config.data.table,
            clip_seconds=3.2,
            hop=3.2,
            frames=8,
            size=96,
            progress=lambda p: bar(p.files_done, p.files_total),
        )
    with Cell("training"), show.progress("training", config.training.steps, "steps") as bar:
        pretrain(config, FOLDER, progress=TrainingBar(bar, show))
    with Cell("evaluation"):
        found = evaluate(FOLDER, tell=show.note)
        report(FOLDER, facts={"world": str(built.datasheet["fingerprint"])})
    return {
        "world": built.datasheet["fingerprint"],
        "seed": seed,
        "steps": config.training.steps,
        "clips_seen": config.training.steps * config.data.global_batch,
        "seconds": {name: round(value) for name, value in Cell.spent().items()},
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "torch": torch.__version__},
        "links": links(found.embeddings, clips.open(config.data.table)),
        "figures": json.loads(tasks.to_json(found.figures))["figures"],
    }


class Cell:
    """Adds the seconds of a `with` block to what earlier starts have spent on the same cell."""

    def __init__(self, name: str):
        self.name = name

    def __enter__(self) -> None:
        self.start = time.monotonic()

    def __exit__(self, *_: object) -> None:
        spent = self.spent()
        spent[self.name] = spent.get(self.name, 0.0) + time.monotonic() - self.start
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / "seconds.json").write_text(json.dumps(spent), encoding="utf-8")

    @staticmethod
    def spent() -> dict[str, float]:
        """Seconds by cell, over all starts."""
        path = FOLDER / "seconds.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def configuration(seed: int, steps: int | None) -> RunConfig:
    """The recipe on this study's table."""
    recipe = recipes.get(RECIPE)
    training = replace(recipe.training, seed=seed, steps=steps or recipe.training.steps)
    return replace(recipe, data=replace(recipe.data, table=str(FOLDER / "clips.lance")), training=training)


def links(embeddings: tasks.Embeddings, source: clips.ClipSource) -> dict[str, float]:
    """What tells clips of one class apart: how often a sound is closer to its own picture than to another's.

    Half the time is chance. `rank_correlation` is Spearman's, within a class, of similarity and difference in size.
    """
    place = {int(number): i for i, number in enumerate(source.ids)}
    rows = [place[int(number)] for number in embeddings.sample_ids]
    truths = [source.truth(row) for row in rows]
    kinds = np.array([source.labels[row][0] for row in rows])
    size = np.log([truth["objects"][0]["size"] for truth in truths])
    ring = np.log([truth["room"]["reverberation_seconds"] for truth in truths])
    scores = embeddings.audio @ embeddings.image.T
    rivals = (kinds[:, None] == kinds) & ~np.eye(len(kinds), dtype=bool)
    sizes, rings = np.abs(size[:, None] - size), np.abs(ring[:, None] - ring)
    wins = np.diag(scores)[:, None] > scores
    ranks = [spearmanr(s[r], d[r])[0] for s, r, d in zip(scores, rivals, sizes, strict=True)]
    return {
        "rank_correlation": float(np.mean(ranks)),
        "other size": float(wins[rivals & (sizes > 0.2)].mean()),
        "equal size, other room": float(wins[rivals & (sizes < 0.05) & (rings > 0.6)].mean()),
        "equal size, equal room": float(wins[rivals & (sizes < 0.05) & (rings < 0.15)].mean()),
    }


def page(result: dict) -> str:
    """`docs/results.md`."""
    figures = {f["name"]: Figure(**f) for f in result["figures"]}
    sections = [HEAD.format(**result, **{f"{k}_seconds": v for k, v in result["seconds"].items()})]
    sections.append("## Retrieval\n\n" + _table(figures, "retrieval/", bounds=True) + "\n\n" + _verdicts(figures))
    sections.append(_links(result["links"]))
    sections.append("## Nearest neighbours across the senses\n\n" + _table(figures, "neighbours/"))
    sections.append("## Nearest training clips (kNN)\n\n" + _table(figures, "knn/"))
    sections.append("## Linear probes\n\n" + _table(figures, "linear-probe/") + "\n\n" + _probe_verdicts(figures))
    sections.append("## A missing modality\n\n" + _table(figures, "missing-modality/"))
    sections.append("## Reconstruction\n\n" + _table(figures, "reconstruction/") + "\n\n" + _fill_verdicts(figures))
    sections.append("## Speeds\n\n" + _speeds())
    return "\n\n".join(sections) + "\n"


HEAD = """# Results: first light

```
make study-first-light
```

One seed ({seed}), {steps:,} steps, {clips_seen:,} clips seen; world `{world}`, 8 classes, level 0, 6,000 training clips
and 1,000 clips of new instances to test on. Seconds on {machine[cores]} CPU cores: world {world_seconds},
table {table_seconds}, training {training_seconds}, evaluation {evaluation_seconds}. The command above writes this file;
its figures are in [first_light.json](../studies/results/first_light.json).

{note}

Synthetic scores show that the implementation learns; they say nothing about AudioSet or VGGSound."""


def _table(figures: dict[str, Figure], prefix: str, bounds: bool = False) -> str:
    rows = [
        "| figure | value | 95 % lower | chance | untrained | baselines | ceiling |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, figure in figures.items():
        if name.startswith(prefix):
            floors = ", ".join(f"{n} {v:.3g}" for n, v in figure.baselines.items())
            cells = (figure.value, figure.lower_bound, figure.chance, figure.untrained)
            text = " | ".join("" if c is None else f"{c:.3g}" for c in cells)
            ceiling = "" if figure.ceiling is None else f"{figure.ceiling:.3g}"
            rows.append(f"| {name.removeprefix(prefix)} | {text} | {floors} | {ceiling} |")
    return "\n".join(rows)


def _links(found: dict[str, float]) -> str:
    others = ", ".join(f"{100 * found[name]:.0f} % ({name})" for name in list(found)[1:])
    return f"""Retrieval stands above the class oracle because the world links sight and sound beyond the class: size is
pitch, and a room rings as deep as it looks. Within a class, similarity falls with the difference in size (rank
correlation {found["rank_correlation"]:.2f}). A sound is closer to its own picture than to another of its class:
{others}; chance is 50 %."""


def _verdicts(figures: dict[str, Figure]) -> str:
    lines = []
    for direction in ("audio-to-image", "image-to-audio"):
        for k in (1, 10):
            figure = figures[f"retrieval/{direction}/R@{k}"]
            bound, best = figure.lower_bound / figure.chance, figure.ceiling / figure.chance
            verdict = "reached" if bound >= 4 else "missed"
            lines.append(
                f"- {direction} R@{k}: {figure.value / figure.chance:.1f} times chance, lower bound {bound:.1f} "
                f"(goal 4: {verdict}); a perfect class oracle stands at {best:.1f}."
            )
    return "\n".join(lines)


def _probe_verdicts(figures: dict[str, Figure]) -> str:
    lines = []
    for modality in MODALITIES:
        figure = figures[f"linear-probe/{modality}/top-1"]
        gain, goal = figure.value - figure.untrained, min(0.15, (1 - figure.untrained) / 2)
        verdict = "reached" if gain >= goal else "missed"
        lines.append(
            f"- {modality}: {100 * gain:.1f} points above the untrained network (goal {100 * goal:.1f}: {verdict})."
        )
    return "\n".join(lines)


def _fill_verdicts(figures: dict[str, Figure]) -> str:
    lines = []
    for name, figure in figures.items():
        if name.startswith("reconstruction/"):
            verdicts = [f"{'' if figure.value < v else 'not '}below {fill}" for fill, v in figure.baselines.items()]
            lines.append(f"- {name.removeprefix('reconstruction/')}: {', '.join(verdicts)}.")
    return "\n".join(lines)


def _speeds() -> str:
    """What `python -m benchmarks.first_light` measured last."""
    if not SPEEDS.exists():
        return "Not measured yet: `python -m benchmarks.first_light`, then this command again."
    measured = json.loads(SPEEDS.read_text(encoding="utf-8").splitlines()[-1])
    rows = [
        "By `python -m benchmarks.first_light`: see [performance](performance.md).",
        "",
        "| part | measured |",
        "|---|---|",
    ]
    for cell, values in measured["cells"].items():
        text = ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in values.items())
        rows.append(f"| {cell} | {text} |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
