"""The shortcut audit: nothing but content may tell the class.

From each nuisance feature alone a logistic regression (scikit-learn) guesses the class of held-out clips; its accuracy
must stay within chance + 3 standard errors. Pitch with spectral centroid is content, but must not be all of it: where
there are 20 classes of things or more it must stay under 40 %, elsewhere it is reported, as byte size always is. Clips
of different splits that are nearly the same clip are counted and must be none.

Judged are clips that count as one class: `label_single` where the truth has it (parents are no second class), else the
only label; clips with several labels or none are left out. What the label is depends on the track, and the law is the
same for all: a pair of shape and pitch (J), an emotion (K), an action (I) or a digit (N) must not show in colour, place
or loudness either. On track Y the features must not tell the offset of the sound; what has been sounding for long has
a class's own lead-in. Of a run of track S, whose clips are alike on purpose, only the first counts.
"""

import math
from typing import Any

import numpy as np
from numpy import ndarray

from seehear.errors import DataError
from seehear.world.classes import NAMES
from seehear.world.disk.manifest import single_label
from seehear.world.splits import SPLITS

GATED = ("mean_rgb", "hue_histogram", "loudness_db", "lead_in_seconds", "objects", "position", "first_brightness")
REPORTED = {"pitch_and_centroid": ("pitch_hz", "centroid_hz"), "bytes": ("bytes",)}
MOST_BY_PITCH, MANY_CLASSES = 0.4, 20  # accuracy from pitch and centroid that is allowed among so many classes
FEWEST_CLIPS = 1_000
STANDARD_ERRORS = 3.0
FOLDS = 4
DUPLICATE_DISTANCE = 4.0  # mean difference of signature bytes (0 to 255) below which two clips count as one


def audit(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Measure every leak over the manifest records of a build.

    Returns:
        `status` ("passed", "failed" or "not audited"), `chance` and the usual `limit`, per `gated` feature `accuracy`,
        `passed` and a `limit` of its own if it has one, the `reported` figures, and `duplicates` between splits.
    """
    if len(records) < FEWEST_CLIPS:
        return {"status": "not audited", "reason": f"{len(records)} clips, {FEWEST_CLIPS} are needed"}
    single = [item for item in records if single_label(item) is not None and not _goes_on(item)]
    labels = np.array([_secret(item) for item in single])
    counts = np.unique(labels, return_counts=True)[1]
    if len(counts) < 2 or counts.min() < FOLDS:
        return {"status": "not audited", "reason": f"{len(counts)} classes with clips of a single label"}
    chance = float(counts.max() / len(labels))
    limit = chance + STANDARD_ERRORS * math.sqrt(chance * (1 - chance) / len(labels))
    gated = {name: _judged(_accuracy(_column(single, (name,)), labels), limit) for name in GATED}
    reported = {
        name: {"accuracy": round(_accuracy(_column(single, keys), labels), 4)} for name, keys in REPORTED.items()
    }
    if len(set(labels) & set(NAMES)) >= MANY_CLASSES:
        told = reported.pop("pitch_and_centroid")["accuracy"]
        gated["pitch_and_centroid"] = _judged(told, MOST_BY_PITCH) | {"limit": MOST_BY_PITCH}
    duplicates = near_duplicates(records)
    passed = all(value["passed"] for value in gated.values()) and not duplicates
    return {
        "status": "passed" if passed else "failed",
        "clips": len(single),
        "chance": round(chance, 4),
        "limit": round(limit, 4),
        "gated": gated,
        "reported": reported,
        "duplicates": duplicates[:20],
    }


def _judged(accuracy: float, limit: float) -> dict[str, Any]:
    return {"accuracy": round(accuracy, 4), "passed": accuracy <= limit}


def _goes_on(item: dict[str, Any]) -> bool:
    """Whether a clip only goes on with the run of the clip before it."""
    return item["truth"].get("stream", {}).get("place_in_run", 0) > 0


def _secret(item: dict[str, Any]) -> str:
    """What nothing but content may tell."""
    return str(item["truth"].get("sync_offset", single_label(item)))


def refuse_failed(result: dict[str, Any]) -> None:
    """Raise on a failed audit.

    Raises:
        DataError: naming each leak with its accuracy and limit.
    """
    if result["status"] != "failed":
        return
    leaks = [
        f"{name} ({value['accuracy']:.3f}, at most {value.get('limit', result['limit']):.3f})"
        for name, value in result["gated"].items()
        if not value["passed"]
    ]
    if result["duplicates"]:
        leaks.append(f"{len(result['duplicates'])} near-duplicates between splits, first {result['duplicates'][0]}")
    raise DataError(
        f"the world leaks its classes: {', '.join(leaks)}",
        expected="no nuisance feature above its limit, no duplicates",
        cause="a change of a class that altered its colour, loudness, timing or place",
    )


def near_duplicates(records: list[dict[str, Any]]) -> list[list[str]]:
    """Pairs of ids of different splits whose signatures nearly agree."""
    signatures = np.array([list(bytes.fromhex(item["nuisance"]["signature"])) for item in records], np.float32)
    splits = np.array([item["split"] for item in records])
    pairs = []
    for place, split in enumerate(SPLITS):
        own, other = np.flatnonzero(splits == split), np.flatnonzero(np.isin(splits, SPLITS[:place]))
        for start in range(0, len(own) if len(other) else 0, 64):
            rows = own[start : start + 64]
            distance = np.abs(signatures[rows, None] - signatures[None, other]).mean(axis=2)
            for row, column in np.argwhere(distance < DUPLICATE_DISTANCE):
                pairs.append([records[rows[row]]["id"], records[other[column]]["id"]])
    return pairs


def _column(records: list[dict[str, Any]], keys: tuple[str, ...]) -> ndarray:
    values = [np.concatenate([np.atleast_1d(item["nuisance"][key]) for key in keys]) for item in records]
    return np.array(values, float)


def _accuracy(features: Any, labels: Any) -> float:
    """Cross-validated accuracy of a logistic regression on standardised features."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    return float(cross_val_score(model, features, labels, cv=folds).mean())
