"""Study: what a tiny AVSiam learns on the twenty classes of the world's `base`, in three splits, with three seeds.

    make study-base                   # about an hour; restartable: finished cells are kept
    python studies/base.py --seed 1   # the cells of one seed only, e.g. beside another

Training clips are those of preset `large` (its first 2,000 are `base`'s). Cells: world, table, and per seed a run and
its figures. Writes `studies/results/base.json` and `docs/results_base.md` when all seeds are there.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import torch

from seehear import clips, recipes, tasks, world
from seehear.cli.console import Console
from seehear.contracts import Method
from seehear.runs.evaluation import embed_clips
from seehear.runs.pretraining import build_method, pretrain
from seehear.runs.show import TrainingBar
from seehear.runs.splits import open_split
from seehear.tasks.linear_probe import joined_features
from seehear.tasks.logistic import fit_chosen
from seehear.training import RunConfig, load_method

FOLDER = Path("runs/study-base")
RESULT = Path("studies/results/base.json")
PAGE = Path("docs/results_base.md")
PRESET, RECIPE = "large", "avsiam_small"
CLIPS = {"train": 8_000, "val": 20, "test": 800, "test_iid": 800, "test_ood": 800}
SPLITS = ("test_iid", "test", "test_ood")
SEEDS = (0, 1, 2)
BATCH = 80  # clips read at a time
GALLERY = tasks.Galleries(count=2, size=400)
MODALITIES = ("audio", "image", "both")
HEARD = {"audio": "sound", "image": "picture"}  # names of the modalities in the world's truth


def main() -> None:
    """Run every cell that is not done yet, then write the page."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seed", type=int, choices=SEEDS, help="only this seed's cells")
    options.add_argument("--threads", type=int, help="threads of this process")
    chosen = options.parse_args()
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    fingerprint = make_table()
    for seed in SEEDS if chosen.seed is None else (chosen.seed,):
        one_seed(seed)
    found = {seed: path for seed in SEEDS if (path := FOLDER / f"seed-{seed}" / "result.json").exists()}
    if len(found) < len(SEEDS):
        return
    result = {
        "world": fingerprint,
        "clips": CLIPS,
        "recipe": RECIPE,
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "torch": torch.__version__},
        "ceilings": ceilings(),
        "seeds": {seed: json.loads(path.read_text(encoding="utf-8")) for seed, path in found.items()},
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(json.loads(json.dumps(result))), encoding="utf-8")
    print(f"{PAGE} and {RESULT} written")


def make_table() -> str:
    """The world and its table; returns the world's fingerprint."""
    show = Console()
    with show.progress("making the world") as bar:
        built = world.build(FOLDER / "world", PRESET, clips=CLIPS, progress=bar)
    with show.progress("packing", unit="files") as bar:
        clips.pack(
            FOLDER / "world", table(), clip_seconds=3.2, hop=3.2, frames=8, size=96,
            progress=lambda p: bar(p.files_done, p.files_total),
        )  # fmt: skip
    return str(built.datasheet["fingerprint"])


def table() -> str:
    """Where the clips are."""
    return str(FOLDER / "clips.lance")


def configuration(seed: int) -> RunConfig:
    """The recipe on this study's table."""
    recipe = recipes.get(RECIPE)
    return replace(recipe, data=replace(recipe.data, table=table()), training=replace(recipe.training, seed=seed))


def one_seed(seed: int) -> None:
    """Train and measure; nothing where it is done."""
    folder, show, config = FOLDER / f"seed-{seed}", Console(), configuration(seed)
    if (folder / "result.json").exists():
        return
    begun = time.monotonic()
    with show.progress(f"training seed {seed}", config.training.steps, "steps") as bar:
        pretrain(config, folder, progress=TrainingBar(bar, show))
    trained = time.monotonic()
    found = measure(config, folder, show)
    spent = {"training": round(trained - begun), "evaluation": round(time.monotonic() - trained)}
    text = json.dumps({"steps": config.training.steps, "seconds": spent, **found}, indent=1)
    (folder / "result.json").write_text(text + "\n", encoding="utf-8")


def measure(config: RunConfig, folder: Path, show: Console) -> dict[str, Any]:
    """Figures by split, and the probes' accuracy by what makes a clip ambiguous."""
    networks: tuple[Method, Method] = load_method(folder), build_method(config)
    needs = replace(networks[0].needs, labels=True)
    figures: dict[str, list] = {}
    parts: dict[str, dict] = {}
    train = open_split(config.data, "train", needs)
    show.note(f"embedding {len(train)} training clips")
    learnt = [embed_clips(network, train, BATCH) for network in networks]
    raw = tasks.raw_features(clips.in_order(train, needs, BATCH), label_names=train.label_names)
    for split in SPLITS:
        show.note(f"measuring {split}")
        source = open_split(config.data, split, needs)
        own = [embed_clips(network, source, BATCH) for network in networks]
        own_raw = tasks.raw_features(clips.in_order(source, needs, BATCH), label_names=source.label_names)
        found = list(tasks.retrieval(*own, GALLERY))
        found += tasks.linear_probe(
            learnt[0], own[0], untrained=(learnt[1], own[1]), baselines={"raw features": (raw, own_raw)}
        )
        figures[split] = json.loads(tasks.to_json(found))["figures"]
        parts[split] = by_ambiguity(learnt[0], own[0], source)
    return {"figures": figures, "by_ambiguity": parts}


def by_ambiguity(train: tasks.Embeddings, test: tasks.Embeddings, source: clips.ClipSource) -> dict[str, Any]:
    """Accuracy of the probe on each modality over clips that are ambiguous to sound, to the picture, or to neither."""
    place = {int(number): row for row, number in enumerate(source.ids)}
    confused = [source.truth(place[int(number)])["ambiguous_in"] or "neither" for number in test.sample_ids]
    found: dict[str, Any] = {"clips": {name: confused.count(name) for name in ("sound", "picture", "neither")}}
    for modality in MODALITIES:
        labels = train.label_matrix().astype(bool)
        fitted = fit_chosen(joined_features(train, modality), labels, multi_label=False)
        right = fitted.scores(joined_features(test, modality)).argmax(1) == test.label_matrix().argmax(1)
        found[modality] = {
            name: float(right[np.array(confused) == name].mean()) for name in ("sound", "picture", "neither")
        }
    return found


def ceilings() -> dict[str, dict[str, float]]:
    """Exact ceilings by split: how often a perfect guesser is right who only hears, or only sees."""
    source = clips.open(table())
    splits = np.array(source.splits)
    found = {}
    for split in SPLITS:
        truths = [source.truth(int(row))["candidates"] for row in np.flatnonzero(splits == split)]
        found[split] = {modality: mean(1 / len(left[name]) for left in truths) for modality, name in HEARD.items()} | {
            "both": 1.0
        }
    return found


# ---------------------------------------------------------------------------------------------------------- the page
def page(result: dict) -> str:
    """`docs/results_base.md`."""
    seeds = result["seeds"].values()
    minutes = [(s["seconds"]["training"] + s["seconds"]["evaluation"]) / 60 for s in seeds]
    head = HEAD.format(
        **result,
        steps=next(iter(seeds))["steps"],
        train=result["clips"]["train"],
        test=result["clips"]["test"],
        minutes=", ".join(f"{m:.0f}" for m in minutes),
        version=result["machine"]["torch"],
    )
    sections = [head, _probes(result), _ambiguity(result), _retrieval(result), _verdicts(result)]
    return "\n\n".join(sections) + "\n"


HEAD = """# Results: twenty classes

```
make study-base
```

AVSiam (`{recipe}`: width 64, 3 layers, {steps:,} steps of 80 clips) on {train:,} training clips of the world's `large`,
whose first 2,000 are those of `base`; world `{world}`: 20 classes, level 1, parameter cells, 40 % of the clips
ambiguous to the sound and about 30 % to the picture. {test} clips of each split to test on. Three seeds: mean ±
deviation.
Minutes per seed, training and measuring: {minutes} (2 CPU cores shared by other work; torch {version}).

`test_iid` shows training individuals under new seeds, `test` new individuals in new parameter cells, `test_ood` new
individuals one level harder."""


def _figures(result: dict, split: str, name: str) -> list[dict]:
    return [next(f for f in own["figures"][split] if f["name"] == name) for own in result["seeds"].values()]


def _spread(values: list[float], unit: float = 100) -> str:
    return f"{unit * mean(values):.1f} ± {unit * stdev(values):.1f}"


def _probes(result: dict) -> str:
    rows = ["## Linear probes, top-1 in %", "", "| split | sound | picture | both |", "|---|---|---|---|"]
    for split in SPLITS:
        cells = [
            _spread([f["value"] for f in _figures(result, split, f"linear-probe/{modality}/top-1")])
            for modality in MODALITIES
        ]
        rows.append(f"| {split} | {' | '.join(cells)} |")
    test = {m: _figures(result, "test", f"linear-probe/{m}/top-1") for m in MODALITIES}
    floors = {
        "untrained network, test": [_spread([f["untrained"] for f in test[m]]) for m in MODALITIES],
        "raw features, test": [_spread([f["baselines"]["raw features"] for f in test[m]]) for m in MODALITIES],
        "chance": [f"{100 * test[m][0]['chance']:.1f}" for m in MODALITIES],
    }
    floors |= {
        f"exact ceiling, {split}": [f"{100 * result['ceilings'][split][m]:.1f}" for m in MODALITIES] for split in SPLITS
    }
    return "\n".join(rows + [f"| {name} | {' | '.join(cells)} |" for name, cells in floors.items()])


def _ambiguity(result: dict) -> str:
    rows = [
        "The same probes on `test`, by what a clip is ambiguous to (an ambiguous clip leaves two classes, or, with its",
        "only source off screen, all that are not seen):",
        "",
        "| clips ambiguous to | sound | picture | both |",
        "|---|---|---|---|",
    ]
    for name in ("sound", "picture", "neither"):
        cells = [
            _spread([own["by_ambiguity"]["test"][modality][name] for own in result["seeds"].values()])
            for modality in MODALITIES
        ]
        count = next(iter(result["seeds"].values()))["by_ambiguity"]["test"]["clips"][name]
        rows.append(f"| {name} ({count} clips) | {' | '.join(cells)} |")
    return "\n".join(rows)


def _retrieval(result: dict) -> str:
    rows = [
        "## Retrieval, in %, galleries of 400",
        "",
        "| split | sound to picture R@1 | R@10 | picture to sound R@1 | R@10 |",
        "|---|---|---|---|---|",
    ]
    names = [f"retrieval/{way}/R@{k}" for way in ("audio-to-image", "image-to-audio") for k in (1, 10)]
    for split in SPLITS:
        rows.append(f"| {split} | {' | '.join(_cells(result, split, names, 'value'))} |")
    for label, key in (("class oracle, test", "ceiling"), ("untrained, test", "untrained"), ("chance", "chance")):
        rows.append(f"| {label} | {' | '.join(_cells(result, 'test', names, key))} |")
    return "\n".join(rows)


def _cells(result: dict, split: str, names: list[str], key: str) -> Iterator[str]:
    for name in names:
        values = [f[key] for f in _figures(result, split, name)]
        yield _spread(values) if len(set(values)) > 1 else f"{100 * values[0]:.2f}"


def _verdicts(result: dict) -> str:
    value = {
        (split, m): [f["value"] for f in _figures(result, split, f"linear-probe/{m}/top-1")]
        for split in SPLITS for m in MODALITIES
    }  # fmt: skip
    lines = ["## What it shows", ""]
    for single, word in (("audio", "sound"), ("image", "picture")):
        gains = [both - one for both, one in zip(value["test", "both"], value["test", single], strict=True)]
        verdict = "in every seed" if min(gains) > 0 else "not in every seed"
        lines.append(f"- Both above {word} alone on `test`: by {_spread(gains)} points, {verdict}.")
    for one, other in (("test_iid", "test"), ("test", "test_ood")):
        drops = [a - b for a, b in zip(value[one, "both"], value[other, "both"], strict=True)]
        ways = [
            a["value"] - b["value"]
            for a, b in zip(
                _figures(result, one, "retrieval/audio-to-image/R@10"),
                _figures(result, other, "retrieval/audio-to-image/R@10"),
                strict=True,
            )
        ]
        lines.append(
            f"- From `{one}` to `{other}` the probe on both falls by {_spread(drops)} points, "
            f"R@10 from sound to picture by {_spread(ways)}."
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
