"""Ceilings: what sound, picture and both can at best tell of a world, and whether a supervised reference gets there.

The truth of every clip says which labels each modality leaves, all equally likely, so the best accuracy is the mean of
one over their number: exact, nothing is measured. A small network per modality, trained on the world's training clips,
must reach `SHARE` of it on the test clips (unseen individuals, rooms and parameter cells), both together by the sum of
their log-probabilities. A class that the references do not tell where they could is a fault of the class.

Clips are drawn in memory from what DATASHEET.json says: the scenes of the built world, the first ones, and as many more
as are asked for. Nothing is decoded. Chunks and finished modalities are kept until the end, so that a stopped start
goes on; then they are removed.
"""

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seehear.errors import StorageError
from seehear.media.atomic import atomic_file
from seehear.metrics import top_k_correct, wilson_lower_bound
from seehear.runs.ceiling_clips import MODALITIES, DrawnClips, Told, draw, told
from seehear.tasks.reference import Recipe, fit, log_probabilities
from seehear.tasks.reference_views import Modality
from seehear.training.run_state import versions
from seehear.world.disk import checking, datasheet
from seehear.world.disk.building import usable_cores
from seehear.world.disk.manifest import write_text
from seehear.world.fingerprints import fingerprint
from seehear.world.presets import Preset, resolve

SHARE = 0.9  # of a ceiling, to be reached
DRAWING = 0.5  # share of the time in which clips may be drawn
RESULT = "ceilings.json"
WORST = 10  # confusions that are listed
WEAK = 0.7  # recall, where the modality could tell, below which a class is named as weak
TOLD_EVERY_SECONDS = 15.0
RECIPE = Recipe()

Tell = Callable[[str], object]


def ceilings(
    world: str | Path | Preset,
    *,
    seed: int = 0,
    minutes: float = 20.0,
    clips: int = 5_000,
    test_clips: int = 1_000,
    recipe: Recipe = RECIPE,
    workers: int | None = None,
    folder: Path | None = None,
    tell: Tell = lambda _: None,
) -> dict[str, Any]:
    """Train a reference per modality and hold it against the exact ceilings.

    Equal arguments and threads give equal figures, unless the time runs out.

    Args:
        world: the folder of a finished world, a preset or its name. A folder gets `ceilings.json` and an entry in its
            datasheet.
        seed: root seed of a preset (a folder knows its own), and of training.
        minutes: the time that it may take; on a slow machine fewer clips are drawn and fewer steps made.
        clips: training clips, about 0.16 MB each in memory and on disk.
        test_clips: the least number of test clips; a world with more is tested on all of its own.
        recipe: of the references.
        workers: processes that draw (default: one per usable core).
        folder: where half-done work is kept (default: the world's folder; for a preset a temporary one, so that a
            later start begins anew).
        tell: takes a line of progress.

    Returns:
        A JSON-ready document: `passed`; per modality (`sound`, `picture`, `both`) the exact `ceiling`, `accuracy` with
        its 95 % interval `from` and `to`, `share` of the ceiling, `passed`, `by_ambiguity`, and over the clips that the
        modality could tell `recall` per class, `weak` classes and the worst `confusions`; `clips`, `steps`,
        `seconds`, `versions`, and what world it was.

    Raises:
        UsageError: if the world does not say what each modality leaves, or there is no such preset.
        StorageError: if the folder holds no finished world of this version, or cannot be written.
    """
    root, preset, seed = _opened(world, seed)
    told(preset, "test", 0, seed)  # a world that cannot be judged is refused at once
    print_of = fingerprint(preset, seed)
    if root is not None:
        _refuse_other_fingerprint(root, print_of)
    with ExitStack() as stack:
        place = folder or root or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="seehear-ceilings-")))
        test_clips = max(test_clips, preset.clips.get("test", 0))
        key = json.dumps([print_of, clips, test_clips, asdict(recipe), seed, versions()], sort_keys=True)
        work = _Work(_own_folder(place, key), preset, seed, recipe, workers or usable_cores(), tell)
        found = _measured(work, clips, test_clips, 60 * minutes)
        shutil.rmtree(work.folder)
    about = {"preset": preset.to_dict(), "seed": seed, "fingerprint": print_of}
    result = {"passed": all(found["modalities"][m]["passed"] for m in found["modalities"]), "world": about, **found}
    if root is not None:
        _enter(root, result)
    return result


@dataclass(frozen=True)
class _Work:
    folder: Path
    preset: Preset
    seed: int
    recipe: Recipe
    workers: int
    tell: Tell


def _opened(world: str | Path | Preset, seed: int) -> tuple[Path | None, Preset, int]:
    """The folder of a world (None for a preset), its preset and seed."""
    if isinstance(world, Preset) or (isinstance(world, str) and not Path(world).is_dir()):
        return None, resolve(world), seed
    root = Path(world)
    preset, own, _ = checking.opened(root)
    return root, preset, own


def _refuse_other_fingerprint(root: Path, now: str) -> None:
    sheet = datasheet.read(root) or {}
    if sheet.get("fingerprint") != now:
        raise StorageError(
            f"{root} has fingerprint {sheet.get('fingerprint')}",
            expected=f"{now}, as its preset is drawn now",
            cause="it was built before a change of the world",
            cure=f"delete {root} and build again",
        )


def _own_folder(place: Path, key: str) -> Path:
    """Where this very work is kept; what other settings have left beside it is removed."""
    name = f".ceilings-{hashlib.blake2b(key.encode(), digest_size=8).hexdigest()}"
    for other in place.glob(".ceilings-*"):
        if other.name != name:
            shutil.rmtree(other)
    (place / name).mkdir(parents=True, exist_ok=True)
    return place / name


def _measured(work: _Work, clips: int, test_clips: int, seconds: float) -> dict[str, Any]:
    begun = time.monotonic()
    spent: dict[str, float] = {}
    test = _drawn(work, "test", test_clips, begun + DRAWING * seconds)
    train = _drawn(work, "train", clips, begun + DRAWING * seconds)
    spent["drawing"] = time.monotonic() - begun
    scores: dict[str, NDArray[np.float64]] = {}
    steps: dict[str, int] = {}
    for number, modality in enumerate(MODALITIES):
        started = time.monotonic()
        share = (seconds - (started - begun)) / (len(MODALITIES) - number)
        scores[modality], steps[modality] = _scores(work, modality, train, test, share)
        spent[modality] = time.monotonic() - started
    scores["both"] = scores["sound"] + scores["picture"]
    classes = work.preset.classes
    return {
        "modalities": {name: judged(name, classes, test.told, scores[name]) for name in scores},
        "share_asked": SHARE,
        "clips": {"train": len(train.told), "test": len(test.told)},
        "steps": steps,
        "recipe": asdict(work.recipe),
        "seconds": {name: round(value, 1) for name, value in (spent | {"all": time.monotonic() - begun}).items()},
        "threads": torch.get_num_threads(),
        "versions": versions(),
    }


def _drawn(work: _Work, split: str, count: int, until: float) -> DrawnClips:
    progress = _Spoken(work.tell, f"drawing {split} clips")
    found = draw(
        work.preset, split, count, work.seed, work.folder, workers=work.workers, until=until, progress=progress
    )
    if len(found.told) < count:
        work.tell(f"the time for drawing is over: {len(found.told)} of {count} {split} clips")
    return found


def _scores(
    work: _Work, modality: Modality, train: DrawnClips, test: DrawnClips, seconds: float
) -> tuple[NDArray[np.float64], int]:
    """Log-probabilities `[N, C]` of the test clips by a reference, trained now or before, and for how many steps."""
    path = work.folder / f"{modality}-{len(train.told)}-{len(test.told)}.npz"
    if path.exists():
        with np.load(path) as kept:
            return kept["scores"], int(kept["steps"])
    number = {name: k for k, name in enumerate(work.preset.classes)}
    progress = _Spoken(work.tell, f"training the reference of the {modality}, step")
    network = fit(
        modality,
        train.views[modality],
        torch.tensor([number[one.label] for one in train.told]),
        len(number),
        seed=work.seed,
        recipe=work.recipe,
        seconds=seconds,
        progress=progress,
    )
    if progress.done < progress.total:
        work.tell(f"the time is over: {progress.done} of {progress.total} steps for the {modality}")
    found = log_probabilities(network, test.views[modality]).double().numpy()
    with atomic_file(path) as file:
        np.savez(file, scores=found, steps=progress.done)
    return found, progress.done


class _Spoken:
    """Progress as lines, now and then."""

    def __init__(self, tell: Tell, what: str):
        self._tell, self._what, self._last = tell, what, time.monotonic()
        self.done = self.total = 0

    def __call__(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        now = time.monotonic()
        if now - self._last >= TOLD_EVERY_SECONDS or done == total:
            self._last = now
            self._tell(f"{self._what} {done} of {total}")


# ------------------------------------------------------------------------------------------------------------ figures
def left(modality: str, clip: Told) -> set[str]:
    """The labels that a modality leaves, all equally likely; to both together those that either leaves."""
    if modality != "both":
        return set(clip.candidates[modality])
    return set(clip.candidates["sound"]) & set(clip.candidates["picture"])


def exact_ceiling(modality: str, clips: Sequence[Told]) -> float:
    """The best expected accuracy: the mean of one over the number of labels left."""
    return float(np.mean([1 / len(left(modality, clip)) for clip in clips]))


def judged(modality: str, classes: Sequence[str], clips: Sequence[Told], scores: NDArray[np.float64]) -> dict[str, Any]:
    """Scores `[N, C]` of a modality held against its exact ceiling; see `ceilings`."""
    labels = np.array([[name == clip.label for name in classes] for clip in clips])
    correct = top_k_correct(scores, labels)
    ceiling, accuracy = exact_ceiling(modality, clips), float(correct.mean())
    share = accuracy / ceiling
    named = scores.argmax(axis=1)
    clear = np.array([len(left(modality, clip)) == 1 for clip in clips])
    recall = {name: _share_of(correct[clear & labels[:, k]]) for k, name in enumerate(classes)}
    return {
        "ceiling": round(ceiling, 4),
        "accuracy": round(accuracy, 4),
        "from": round(wilson_lower_bound(accuracy, len(clips)), 4),
        "to": round(1 - wilson_lower_bound(1 - accuracy, len(clips)), 4),
        "share": round(share, 4),
        "passed": share >= SHARE,
        "by_ambiguity": _by_ambiguity(modality, clips, correct),
        "recall": recall,
        "weak": [name for name, own in recall.items() if own["clips"] and own["accuracy"] < WEAK],
        "confusions": _confusions(classes, labels[clear].argmax(axis=1), named[clear]),
    }


def _share_of(correct: NDArray[np.bool_]) -> dict[str, Any]:
    return {"clips": len(correct), "accuracy": round(float(correct.mean()), 4) if len(correct) else None}


def _by_ambiguity(modality: str, clips: Sequence[Told], correct: NDArray[np.bool_]) -> dict[str, Any]:
    """Accuracy and ceiling of the clips that no modality, or a certain one, cannot tell alone."""
    kinds = np.array([clip.ambiguous_in or "none" for clip in clips])
    return {
        name: _share_of(correct[kinds == name])
        | {
            "ceiling": round(
                exact_ceiling(modality, [c for c, own in zip(clips, kinds, strict=True) if own == name]), 4
            )
        }
        for name in sorted(set(kinds.tolist()))
    }


def _confusions(classes: Sequence[str], label: NDArray[np.int64], named: NDArray[np.int64]) -> list[dict[str, Any]]:
    """The pairs that are confused most often, as a share of the label's clips."""
    pairs, counts = np.unique(np.stack([label, named])[:, label != named], axis=1, return_counts=True)
    found = [
        {"label": classes[a], "taken_for": classes[b], "clips": int(n), "of": int((label == a).sum())}
        for (a, b), n in zip(pairs.T, counts, strict=True)
    ]
    return sorted(found, key=lambda one: one["clips"] / one["of"], reverse=True)[:WORST]


def _enter(root: Path, result: dict[str, Any]) -> None:
    """Leave the result in the world's folder, and the main figures in its datasheet."""
    write_text(root / RESULT, json.dumps(result, indent=2) + "\n")
    sheet = datasheet.read(root) or {}
    keys = ("ceiling", "accuracy", "from", "to", "share", "passed")
    sheet["ceilings"] = {
        "passed": result["passed"],
        "share_asked": SHARE,
        **{name: {key: own[key] for key in keys} for name, own in result["modalities"].items()},
        "details": RESULT,
    }
    write_text(root / datasheet.DATASHEET, json.dumps(sheet, indent=2) + "\n")
