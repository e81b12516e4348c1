"""Fill the report of a run: curves, figures, drawings, the map of embeddings and a gallery of searches."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

import seehear
from seehear import clips
from seehear.configuration import to_dict
from seehear.contracts import AudioNeed, FrameNeed, Method, Needs, Reconstructs
from seehear.errors import DataError, StorageError
from seehear.metrics import cosine_ranks
from seehear.randomness import Randomness
from seehear.reports import Curve, EmbeddingMap, Example, Hit, Page, Query, drawings, project, write_page
from seehear.reports.page import Direction, Drawing, Skipped, Verdict
from seehear.runs.evaluation import Evaluated, read_evaluation
from seehear.runs.run_folder import read_config, read_metrics, trained_steps
from seehear.tasks import Embeddings
from seehear.training import RunConfig, load_method

REPORT = "report.html"
LOOK = Needs(audio=AudioNeed(4.0), frames=FrameNeed(1, 128, 128, "crop"))  # what a person is shown of a clip
QUERIES, HITS, DRAWN, EXAMPLES, ON_THE_MAP = 4, 5, 4, 8, 400
HEADLINES = (
    "retrieval/audio-to-image/R@10",
    "retrieval/image-to-audio/R@10",
    "neighbours/audio-to-image/agreement@1",
    "neighbours/image-to-audio/agreement@1",
)
CLASS_HEADLINES = tuple(
    f"fine-tuned/{modality}/{kind}" for kind in ("top-1", "mAP") for modality in ("both", "audio", "image")
)
CHARTS = {  # by the name of the loss, which stands behind its phase where a method has several
    "loss": "Total loss",
    "contrast": "Contrast",
    "contrast_within": "Contrast within a modality",
    "reconstruction_audio": "Reconstruction",
    "reconstruction_image": "Reconstruction",
}


def report(
    folder: Path, *, facts: dict[str, str | int | float] | None = None, skipped: tuple[Skipped, ...] = ()
) -> Path:
    """Write `report.html` of an evaluated run; returns its path.

    Args:
        folder: of the run.
        facts: more facts to state, by name.
        skipped: files that could not be used.

    Raises:
        StorageError: if the folder holds no evaluated run.
        DataError: if the table lacks clips that were evaluated.
    """
    config, method = read_config(folder), load_method(folder)
    found = read_evaluation(folder)
    if (steps := trained_steps(folder)) != found.step:
        raise StorageError(
            f"{folder} was evaluated after {found.step} steps and has {steps} now",
            cure=f"seehear evaluate {folder}",
        )
    embeddings, source = found.embeddings, _evaluated_clips(found)
    page = Page(
        title=f"SeeHear: {config.name}",
        subtitle=_subtitle(config),
        summary=_summary(config, found),
        facts=_facts(config, method, source, found) | (facts or {}),
        figures=tuple(found.figures),
        headlines=_headlines(found),
        curves=tuple(_curves(config, folder)),
        reconstructions=_drawings(method, source),
        map=_map(embeddings),
        gallery=tuple(_gallery(source, embeddings)),
        examples=tuple(_examples(source)),
        skipped=skipped,
        configuration=to_dict(config),
        next_steps={
            "Train on your own videos": "make demo VIDEOS=folder",
            "Evaluate again": f"seehear evaluate {folder}",
        },
    )
    path = folder / REPORT
    write_page(page, path)
    return path


def _evaluated_clips(found: Evaluated) -> clips.ClipSource:
    """The clips that were evaluated, in the order of their embeddings."""
    source = clips.open(found.table)
    place = {int(number): i for i, number in enumerate(source.ids)}
    numbers = [int(number) for number in found.embeddings.sample_ids]
    lost = sum(number not in place for number in numbers)
    if lost:
        raise DataError(
            f"{found.table} has {lost} of the {len(numbers)} evaluated clips no more",
            cause="it was packed anew since",
            cure="seehear evaluate the run again",
        )
    return source.subset(indices=[place[number] for number in numbers])


def _subtitle(config: RunConfig) -> str:
    how = "and names classes" if getattr(config.method, "classes", ()) else "taught by unlabelled video"
    return f"One network that sees and hears, {how}"


def _summary(config: RunConfig, found: Evaluated) -> tuple[str, ...]:
    kind = " that it never trained on" if found.held_out else ", some or all of which it was trained on"
    seen, classes = found.step * config.data.global_batch, getattr(config.method, "classes", ())
    told = (
        f"with the labels of {len(classes):,} classes, after what it had learnt before"
        if classes
        else "most of them many times, and was never told what they show"
    )
    planned = config.training.steps
    short = f" It stopped after {found.step:,} of {planned:,} steps." if found.step < planned else ""
    return (
        f"The network saw {seen:,} clips go by, {told}.{short} "
        f"Everything below is measured on {len(found.embeddings):,} clips{kind}.",
    )


def _headlines(found: Evaluated) -> tuple[str, ...]:
    """The figures to show large: of a classifier its own, else retrieval.

    None of retrieval where the gallery is so small that a guess often finds its clip in ten.
    """
    own = tuple(f.name for f in found.figures if f.name in CLASS_HEADLINES)
    if own:
        return own
    chance = {figure.name: figure.chance for figure in found.figures if figure.chance is not None}
    return HEADLINES if all(chance.get(name, 1.0) <= 0.25 for name in HEADLINES) else ()


def _facts(
    config: RunConfig, method: Method, source: clips.ClipSource, found: Evaluated
) -> dict[str, str | int | float]:
    return {
        "parameters": sum(p.numel() for p in method.parameters()),
        "steps": found.step,
        "clips per step": config.data.global_batch,
        "clips evaluated": len(source),
        "table": found.table,
        "split": found.split,
        "classes": len(source.label_names),
        "seehear": seehear.__version__,
        "torch": torch.__version__,
    }


def _curves(config: RunConfig, folder: Path) -> Iterator[Curve]:
    lines = read_metrics(folder)
    names = dict.fromkeys(name for line in lines for name in line)
    for loss, chart in CHARTS.items():
        for name in (n for n in names if n.split("/")[-1] == loss):
            points = [(line["step"], line[name]) for line in lines if name in line]
            steps, values = np.array(points, dtype=np.float64).T
            compared = config.data.global_batch // config.training.accumulate
            floor = float(np.log(compared)) if loss == "contrast" else None
            yield Curve(name.replace("_", " "), steps, values, chart=chart, floor=floor)


def _drawings(method: Method, source: clips.ClipSource) -> tuple[Drawing, ...]:
    drawing: object = method  # by what it offers, not by its class
    if not isinstance(drawing, Reconstructs):
        return ()
    some = source.subset(indices=_spread(source, DRAWN))
    batch = next(iter(clips.in_order(some, method.needs, DRAWN)))
    shown = drawing.reconstruct(batch, Randomness(0))
    titles = [" ".join(labels) or name for labels, name in zip(some.labels, some.names, strict=True)]
    return tuple(d for part in shown.values() for d in drawings(part, titles))


def _map(embeddings: Embeddings) -> EmbeddingMap | None:
    both = embeddings.select(embeddings.has("both"))
    if both.audio is None or both.image is None or len(both) < 2:
        return None
    some = both.select(np.linspace(0, len(both) - 1, min(len(both), ON_THE_MAP)).astype(np.int64))
    points = project(some.audio, some.image)
    labels = None if some.labels is None else np.where(some.labels.any(axis=1), some.labels.argmax(axis=1), -1)
    return EmbeddingMap(*points, audio_labels=labels, class_names=some.label_names, names=some.names)


def _spread(source: clips.ClipSource, count: int) -> list[int]:
    """Up to `count` clips, of different classes as far as there are some."""
    seen: dict[tuple[str, ...], int] = {}
    for index, labels in enumerate(source.labels):
        seen.setdefault(tuple(labels), index)
    first = list(seen.values())[:count]
    rest = [i for i in range(len(source)) if i not in set(first)]
    return (first + rest)[:count]


def _gallery(source: clips.ClipSource, embeddings: Embeddings) -> Iterator[Query]:
    """Searches in both directions among all evaluated clips that have sound and picture."""
    rows = np.flatnonzero(embeddings.has("both"))
    if embeddings.audio is None or embeddings.image is None or len(rows) < 2:
        return
    audio, image = embeddings.audio[rows], embeddings.image[rows]
    part = source.subset(indices=rows)
    asked = _spread(part, 2 * QUERIES)
    for direction, queries, candidates, chosen in (
        ("sound to picture", audio, image, asked[::2]),
        ("picture to sound", image, audio, asked[1::2] or asked),
    ):
        ranks = cosine_ranks(queries, candidates)
        for row in chosen[:QUERIES]:
            yield _query(part, row, direction, queries[row] @ candidates.T, int(ranks[row]))


def _query(source: clips.ClipSource, row: int, direction: Direction, scores: np.ndarray, rank: int) -> Query:
    best = np.argsort(-scores, kind="stable")[:HITS]
    hits = tuple(
        Hit(**vars(_example(source, int(i))), verdict=_verdict(source, row, int(i)), score=float(scores[i]))
        for i in best
    )
    return Query(**vars(_example(source, row)), direction=direction, hits=hits, rank=rank, gallery_size=len(source))


def _verdict(source: clips.ClipSource, row: int, found: int) -> Verdict | None:
    if row == found:
        return "right"
    if not source.labels[row]:
        return "wrong"
    return "same class" if set(source.labels[row]) & set(source.labels[found]) else "wrong"


def _examples(source: clips.ClipSource) -> Iterator[Example]:
    for index in _spread(source, EXAMPLES):
        yield _example(source, index)


def _example(source: clips.ClipSource, index: int) -> Example:
    clip = source.read(index, LOOK)
    thumbnail = None if clip.frames is None else clip.frames[len(clip.frames) // 2]
    return Example(thumbnail, clip.audio, " + ".join(clip.labels), clip.id)
