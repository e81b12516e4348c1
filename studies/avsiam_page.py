"""The page of the study of AVSiam's claims, `docs/studies/avsiam.md`, and its pictures, of what was measured so far.

python -m studies.avsiam_page
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from math import sqrt
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from seehear import tasks
from seehear.reports.tsne import project
from studies.avsiam import RESULT, Scale, cell

PAGE = Path("docs/studies/avsiam.md")
PICTURES = Path("docs/studies/images")
REMARKS = Path("studies/results/avsiam_remarks.md")
COLUMNS = {
    "sound": "linear-probe/audio/top-1",
    "picture": "linear-probe/image/top-1",
    "both": "linear-probe/both/top-1",
    "sound alone": "missing-modality/audio only/top-1",
    "picture alone": "missing-modality/image only/top-1",
    "R@1": "retrieval/*/R@1",
    "R@10": "retrieval/*/R@10",
}
WAYS = ("audio-to-image", "image-to-audio")
Seeds = dict[str, dict[str, Any]]


def main() -> None:
    """Write page and pictures of what there is."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    PICTURES.mkdir(parents=True, exist_ok=True)
    curves(result).savefig(PICTURES / "avsiam_curves.svg", metadata={"Date": None})
    maps = shared_and_separate(Scale())
    if maps is not None:
        maps.savefig(PICTURES / "avsiam_maps.png", dpi=110, metadata={"Software": None})
    PAGE.write_text(page(result, maps is not None), encoding="utf-8")
    print(f"{PAGE} written")


# ----------------------------------------------------------------------------------------------------------- figures
def value(seed: dict[str, Any], name: str, key: str = "value") -> float:
    """A figure of one run; `*` stands for the mean of both directions."""
    if "*" in name:
        return mean(value(seed, name.replace("*", way), key) for way in WAYS)
    return next(figure[key] for figure in seed["figures"] if figure["name"] == name)


def spread(values: Sequence[float], unit: float = 100) -> str:
    """Mean, and deviation where there are several."""
    text = f"{unit * mean(values):.1f}"
    return f"{text} ± {unit * stdev(values):.1f}" if len(values) > 1 else text


def reached(seed: dict[str, Any], target: float) -> int | None:
    """The first step whose R@1 on `val` is the target."""
    return next((point["step"] for point in seed["curve"] if point["R@1"] >= target), None)


def target_of(result: dict) -> float:
    """The largest whole per cent of R@1 on `val` that every arm with a contrast reaches with every seed, or 2 %."""
    best = [max(p["R@1"] for p in s["curve"]) for arm, seeds in contrasting(result) for s in seeds.values()]
    return max(0.02, int(100 * min(best)) / 100) if best else 0.02


def contrasting(result: dict) -> Iterator[tuple[str, Seeds]]:
    """Arms that learn by contrast."""
    return ((arm, seeds) for arm, seeds in result["arms"].items() if arm != "reconstruction alone")


# -------------------------------------------------------------------------------------------------------------- page
def page(result: dict, mapped: bool) -> str:
    """The whole page."""
    parts = [head(result), quality(result), costs(result), figure_of_curves(result)]
    parts += [MAPS if mapped else "", finetuned(result), claims(result), remarks()]
    return "\n\n".join(part for part in parts if part) + "\n"


MAPS = """## One map for both

![t-SNE of sound and picture embeddings, shared and separate encoders](images/avsiam_maps.png)

Test clips, seed 0; colours are classes, filled sound, hollow pictures."""


def remarks() -> str:
    """What people made of the figures; they say themselves on which."""
    return REMARKS.read_text(encoding="utf-8").strip() if REMARKS.exists() else ""


def head(result: dict) -> str:
    """What was done."""
    seeds = {arm: len(found) for arm, found in result["arms"].items()}
    counts = ", ".join(f"{arm} {n}" for arm, n in seeds.items())
    train, test = (result["clips"][split] for split in ("train", "test"))
    first = result["arms"].get("multi-ratio", {})
    level = spread([value(seed, "val/linear-probe/both/top-1") for seed in first.values()]) if first else "not measured"
    return f"""# AVSiam's claims at proof scale

```
make study-avsiam    # hours; restartable cell by cell; python -m studies.avsiam --help
```

Every arm learns from the same {train:,} clips of the world's `large` (20 classes, level 1, 40 % of the clips ambiguous
to the sound and about 30 % to the picture; world `{result["world"]}`), in the same order, for {result["steps"]:,} steps
of 80, by the same optimiser; the network is that of `avsiam_tiny` (width 64, 3 blocks). The level is one at which the
best system should score 60 to 90 %: AVSiam's probe on both modalities scores {level} % on `val`. Figures are of {test}
test clips of new individuals. Seeds run: {counts}."""


def quality(result: dict) -> str:
    """Probes, missing modality, retrieval, with floors and ceilings."""
    rows = [
        "## What is learnt, in %",
        "",
        "Linear probes on sound, picture and both; one classifier of the shared space with either modality alone;",
        "retrieval in galleries of 400, mean of both directions.",
        "",
        f"| arm | {' | '.join(COLUMNS)} |",
        "|---" * (1 + len(COLUMNS)) + "|",
    ]
    for arm, seeds in result["arms"].items():
        cells = [spread([value(seed, name) for seed in seeds.values()]) for name in COLUMNS.values()]
        rows.append(f"| {arm} | {' | '.join(cells)} |")
    arm = next(iter(result["arms"]), None)
    if arm is None:
        return ""
    seeds = list(result["arms"][arm].values())
    floors: dict[str, Callable[[str], str]] = {
        f"untrained network ({arm})": lambda name: spread([value(s, name, "untrained") for s in seeds]),
        "chance": lambda name: f"{100 * value(seeds[0], name, 'chance'):.2f}",
        "ceiling (retrieval: class oracle)": lambda name: f"{100 * value(seeds[0], name, 'ceiling'):.1f}",
    }
    for label, cell_of in floors.items():
        rows.append(f"| {label} | {' | '.join(cell_of(name) for name in COLUMNS.values())} |")
    raw = [next(f for f in seeds[0]["figures"] if f["name"] == COLUMNS[m]) for m in ("sound", "picture", "both")]
    cells = [f"{100 * figure['baselines']['raw features']:.1f}" for figure in raw]
    rows.append(f"| raw features | {' | '.join(cells)} | | | | |")
    return "\n".join(rows)


def costs(result: dict) -> str:
    """Seconds, memory, parameters of a step, and the way to a fixed R@1."""
    if not result["costs"]:
        return ""
    target = target_of(result)
    rows = [
        "## What it costs",
        "",
        "A step of 80 clips on one thread, arms in turns, processor time; memory is what the process holds at its",
        "peak; tokens are those that pass a block of the encoder, summed over its blocks. The batch is the one whose",
        "activations take the memory of 80 clips without masking. Seconds to an R@1 of",
        f"{100 * target:.0f} % on `val` are steps times those of a step.",
        "",
        "| arm | ms a step | tokens | peak memory | batch | encoder's parameters | all | steps to R@1 | seconds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for arm, cost in result["costs"].items():
        steps = [reached(seed, target) for seed in result["arms"].get(arm, {}).values()]
        found = [s for s in steps if s is not None]
        way = " | | " if not found else f" {mean(found):,.0f} | {mean(found) * cost['seconds']:,.0f} "
        if found and len(found) < len(steps):
            way = f" {len(found)} of {len(steps)} seeds | "
        rows.append(
            f"| {arm} | {1000 * cost['seconds']:.0f} | {cost['tokens']:,.0f} | {cost['peak_mebibytes']:,.0f} MiB "
            f"| {_batch(result, cost)} | {cost['encoder_parameters']:,.0f} | {cost['parameters']:,.0f} |{way}|"
        )
    return "\n".join(rows)


def _batch(result: dict, cost: dict[str, float]) -> str:
    """Clips whose activations take as much as those of 80 without masking."""
    whole = result["costs"].get("no masking")
    if whole is None:
        return ""
    held = [found["peak_mebibytes"] - found["idle_mebibytes"] for found in (whole, cost)]
    return f"{80 * held[0] / held[1]:.0f}"


def figure_of_curves(result: dict) -> str:
    """Where the picture stands."""
    return "![R@1 by step and by time](images/avsiam_curves.svg)" if result["arms"] else ""


FINETUNED = {
    "sound": "audio/top-1",
    "picture": "image/top-1",
    "both": "both/top-1",
    "one picture": "image, one picture/top-1",
    "both, one picture": "both, one picture/top-1",
    "wrong pairs: the sound's class": "wrong pairs, label of the sound/top-1",
    "the picture's": "wrong pairs, label of the picture/top-1",
}


def finetuned(result: dict) -> str:
    """Fine-tuned classifiers."""
    cells = {name: seeds for name, seeds in result.get("finetuned", {}).items() if seeds}
    if not cells:
        return ""
    rows = [
        "## Fine-tuned, top-1 in %",
        "",
        "The preset `finetune_tiny` on the same clips: mixed deals each clip sound, picture or (half of them) both; a",
        "network trained on both only reads a blank in place of what is missing. Pictures are eight, scores averaged.",
        "",
        f"| network | {' | '.join(FINETUNED)} |",
        "|---" * (1 + len(FINETUNED)) + "|",
    ]
    for name, seeds in cells.items():
        found = [[_maybe(seed, f"fine-tuned/{figure}") for seed in seeds.values()] for figure in FINETUNED.values()]
        texts = ["" if None in values else spread([v for v in values if v is not None]) for values in found]
        rows.append(f"| {name} | {' | '.join(texts)} |")
    first = next(iter(next(iter(cells.values())).values()))
    chance = [
        next((f["chance"] for f in first["figures"] if f["name"] == f"fine-tuned/{n}"), None)
        for n in FINETUNED.values()
    ]
    rows.append(f"| chance | {' | '.join('' if c is None else f'{100 * c:.1f}' for c in chance)} |")
    return "\n".join(rows)


def _maybe(seed: dict[str, Any], name: str) -> float | None:
    return next((figure["value"] for figure in seed["figures"] if figure["name"] == name), None)


def claims(result: dict) -> str:
    """Each claim of the paper, and whether it holds here."""
    lines = ["## The paper's claims", ""]
    for text, better, worse, columns in CLAIMS:
        if better in result["arms"] and worse in result["arms"]:
            lines.append(f"- {text}: {'; '.join(_verdict(result, better, worse, column) for column in columns)}.")
    return "\n".join(lines) if len(lines) > 2 else ""


CLAIMS = (
    ("Multi-ratio masking beats a fixed ratio of 0.25", "multi-ratio", "fixed 0.25", ("both", "R@10")),
    ("Multi-ratio masking beats a fixed ratio of 0.5", "multi-ratio", "fixed 0.5", ("both", "R@10")),
    ("Multi-ratio masking beats a fixed ratio of 0.75", "multi-ratio", "fixed 0.75", ("both", "R@10")),
    ("Multi-ratio masking beats no masking", "multi-ratio", "no masking", ("both", "R@10")),
    ("One shared encoder is no worse than two", "multi-ratio", "separate encoders", ("both", "R@10")),
    ("AVSiam beats CAV-MAE", "multi-ratio", "CAV-MAE", ("sound", "picture", "both", "sound alone", "R@10")),
    ("AVSiam beats MAViL at equal steps", "multi-ratio", "MAViL", ("both", "R@10")),
    ("Contrast and reconstruction beat contrast alone", "multi-ratio", "contrast alone", ("both", "R@10")),
    ("Contrast and reconstruction beat reconstruction alone", "multi-ratio", "reconstruction alone", ("both", "R@10")),
    ("A trunk of pictures beats a trunk of sound", "trunk of pictures", "trunk of sound", ("sound", "picture", "both")),
    ("A trunk of pictures beats none", "trunk of pictures", "multi-ratio", ("sound", "picture", "both", "R@10")),
    ("One joint step does as well as two in turn", "multi-ratio", "alternating steps", ("both", "R@10")),
)


def _verdict(result: dict, better: str, worse: str, column: str) -> str:
    """The difference over the seeds that both have, with what chance in drawing the test clips makes of one seed's."""
    name = COLUMNS[column]
    one, other = result["arms"][better], result["arms"][worse]
    gains = [value(one[s], name) - value(other[s], name) for s in one if s in other]
    if not gains:
        return f"{column}: no seed in common"
    signs = "in every seed" if len(gains) > 1 and (min(gains) > 0 or max(gains) < 0) else "not in every seed"
    shares = [mean(value(arm[s], name) for s in one if s in other) for arm in (one, other)]
    error = 100 * sqrt(sum(share * (1 - share) for share in shares) / result["clips"]["test"])
    note = f" ({signs})" if len(gains) > 1 else f" (one seed, standard error at most {error:.1f})"
    return f"{column} {'+' if mean(gains) >= 0 else ''}{spread(gains)} points{note}"


# ---------------------------------------------------------------------------------------------------------- pictures
def curves(result: dict) -> Figure:
    """R@1 on `val`, mean over seeds, by step and by seconds of a step times steps."""
    figure = Figure(figsize=(8.4, 3.4), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for number, (arm, seeds) in enumerate(result["arms"].items()):
        steps = np.array([point["step"] for point in next(iter(seeds.values()))["curve"]])
        recall = 100 * np.mean([[point["R@1"] for point in seed["curve"]] for seed in seeds.values()], axis=0)
        style = {"label": arm, "color": f"C{number % 10}", "linestyle": "-" if number < 10 else "--"}
        panels[0].plot(steps, recall, **style)
        if arm in result["costs"]:
            panels[1].plot(steps * result["costs"][arm]["seconds"], recall, **style)
    panels[0].set(xlabel="step", ylabel="R@1 on val, %")
    panels[1].set(xlabel="seconds on one thread")
    for panel in panels:
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].legend(frameon=False, fontsize=7)
    return figure


def shared_and_separate(scale: Scale) -> Figure | None:
    """t-SNE of both encoders' test embeddings side by side, where both were run here."""
    folders = {arm: cell(scale, arm, 0) for arm in ("multi-ratio", "separate encoders")}
    if not all((folder / "embeddings.json").exists() for folder in folders.values()):
        return None
    figure = Figure(figsize=(8.4, 4.2), layout="constrained")
    for panel, (arm, folder) in zip(figure.subplots(1, 2), folders.items(), strict=True):
        found = tasks.load_embeddings(folder / "embeddings")
        classes = found.label_matrix().argmax(axis=1)
        sound, picture = project(found.audio, found.image)
        for points, faces in ((sound, True), (picture, False)):
            colours = [f"C{c % 10}" for c in classes]
            panel.scatter(*points.T, s=8, edgecolors=colours, facecolors=colours if faces else "none", linewidths=0.6)
        panel.set_title("one shared encoder" if arm == "multi-ratio" else arm)
        panel.set_axis_off()
    return figure


if __name__ == "__main__":
    main()
