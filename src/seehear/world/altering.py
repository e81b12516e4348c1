"""What interventions do to pictures, sound and truth; see `interventions` for which there are.

Each changes what it names and nothing else. Truth stays true of what is seen and heard now: what no longer holds is
kept under `intervention.before`. Facts of a track that speak of time or of words stay those of the clip before.

Legend: T frames, H W picture, S samples, N bodies.
"""

import dataclasses
from typing import Any

import numpy as np
from numpy import ndarray

from seehear.world.painting.picture import Pictures
from seehear.world.scenes import Scene
from seehear.world.sounds.mixing import mix
from seehear.world.truth.facts import events, sources

LUMA = np.array([77, 150, 29], np.uint16)  # 8-bit weights of ITU-R BT.601
AMBIGUITY = ("ambiguous_in", "candidates")  # hold only for clips as they were drawn


def seen(scene: Scene, pictures: Pictures) -> Pictures:
    """The pictures as the scene's intervention leaves them (bodies that are removed were never painted)."""
    change = scene.intervention
    if change is not None and change.name == "grey":
        luma = (pictures.pixels.astype(np.uint16) @ LUMA + 128) >> 8
        return dataclasses.replace(pictures, pixels=np.repeat(luma.astype(np.uint8)[..., None], 3, axis=-1))
    if change is not None and change.name == "shuffle":
        order = change.parameters["order"]
        parts = {own: mask[order] for own, mask in pictures.parts.items()}
        return Pictures(pictures.pixels[order], pictures.masks[:, order], pictures.whole[:, order], parts)
    return pictures


def heard(scene: Scene, waveform: ndarray, stems: dict[str, ndarray]) -> tuple[ndarray, dict[str, ndarray]]:
    """The mixture `[S]` and its stems as the scene's intervention leaves them."""
    change = scene.intervention
    if change is not None and change.name == "mute":
        return stems["background"].copy(), {"background": stems["background"]}
    if change is not None and change.other is not None:
        return mix(change.other)
    if change is not None and change.name == "shift":
        late = round(change.parameters["seconds"] * scene.format.sample_rate)
        stems = {name: stem if name == "background" else _later(stem, late) for name, stem in stems.items()}
        mixture = np.asarray(np.sum(list(stems.values()), axis=0, dtype=np.float64))
        return mixture.astype(np.float32), stems
    return waveform, stems


def _later(stem: ndarray, samples: int) -> ndarray:
    """A stem that begins later: sources are silent before their first event, and the noise goes on under them."""
    late = np.zeros_like(stem)
    late[samples:] = stem[:-samples]
    return late


def told(scene: Scene, truth: dict[str, Any], stems: dict[str, ndarray]) -> dict[str, Any]:
    """The truth, given that of the scene with its pictures altered already, and the altered stems."""
    change = scene.intervention
    if change is None:
        return truth
    now: dict[str, Any] = {}
    if change.name == "mute":
        now = {"sources": [], "events": []}
    elif change.other is not None:
        unseen = [source | {"object": None, "on_screen": False} for source in sources(change.other, stems)]
        now = {"sources": unseen, "events": events(change.other)}
    elif change.name == "shift":
        now = {"events": _postponed(truth["events"], change.parameters["seconds"], scene.format.seconds)}
    if change.name in ("mute", "swap"):
        now["objects"] = [item | {"sounding": False} for item in truth["objects"]]
    lost = AMBIGUITY if change.name not in ("grey", "shift") else ()
    before = {name: truth[name] for name in (*now, *lost) if name in truth and name != "objects"}
    kept = {name: value for name, value in truth.items() if name not in lost}
    return kept | now | {"intervention": {"name": change.name, "parameters": change.parameters, "before": before}}


def _postponed(found: list[dict[str, Any]], late: float, seconds: float) -> list[dict[str, Any]]:
    """Events as they are heard, those after the clip's end left out."""
    moved = [
        item | {"t_on": round(item["t_on"] + late, 6), "t_off": round(min(seconds, item["t_off"] + late), 6)}
        for item in found
    ]
    return [item for item in moved if item["t_on"] < seconds]
