"""Ground truth of a clip, read off the scene and the painted masks: never from a detector.

Legend: N bodies, T frames.
"""

from typing import Any

import numpy as np
from numpy import ndarray

from seehear.world.levels import level
from seehear.world.painting.picture import Pictures
from seehear.world.scenes import Scene
from seehear.world.tracks import facts
from seehear.world.truth.fields import SCHEMA_VERSION


def boxes(masks: ndarray) -> ndarray:
    """Normalised boxes `[T, 4]` (x0, y0, x1, y1) of bool masks `[T, H, W]`; all zero where nothing is seen."""
    height, width = masks.shape[1:]
    rows, columns = np.any(masks, axis=2), np.any(masks, axis=1)
    x0, x1 = columns.argmax(axis=1), width - columns[:, ::-1].argmax(axis=1)
    y0, y1 = rows.argmax(axis=1), height - rows[:, ::-1].argmax(axis=1)
    found = np.stack([x0 / width, y0 / height, x1 / width, y1 / height], axis=1)
    return np.where(np.any(columns, axis=1)[:, None], found, 0.0)


def truth(scene: Scene, pictures: Pictures, stems: dict[str, ndarray]) -> dict[str, Any]:
    """Everything known about the clip, as plain JSON-ready values; `truth_fields` says what each of them means."""
    return {
        "schema": SCHEMA_VERSION,
        "objects": [_object(scene, number, pictures) for number in range(len(scene.bodies))],
        "sources": sources(scene, stems),
        "events": events(scene),
        "room": {
            "background": scene.background.instance,
            "depth": scene.background.depth,
            "hardness": scene.background.hardness,
            "reverberation_seconds": scene.background.reverberation_seconds,
        },
        "noise": {
            "instance": scene.noise.instance,
            "slope_db": scene.noise.slope_db,
            "snr_db": scene.noise.snr_db if scene.sources else None,
        },
        "knobs": {"level": scene.level, **level(scene.level).to_dict()},
        "occlusion": [
            np.round(occlusion(seen, whole), 4).tolist()
            for seen, whole in zip(pictures.masks, pictures.whole, strict=True)
        ],
        "caption_template": scene.caption_template,
        "seed": scene.seed,
        "index": scene.index,
        "track": scene.track,
        **_higher(scene),
        **facts(scene, pictures, stems),
    }


def sources(scene: Scene, stems: dict[str, ndarray]) -> list[dict[str, Any]]:
    """What is heard, with the level of each stem."""
    return [
        {
            "id": number,
            "object": source.body,
            "class": source.instance.kind,
            "instance": source.instance.number,
            "on_screen": source.body is not None,
            **({"near": True} if source.near else {}),
            "pitch_hz": source.pitch_hz,
            "rms_db": round(_decibel(stems[f"source {number}"]), 2),
        }
        for number, source in enumerate(scene.sources)
    ]


def events(scene: Scene) -> list[dict[str, Any]]:
    """When what sounds."""
    return [
        {
            "source": event.source,
            "kind": event.kind,
            "t_on": event.start_seconds,
            "t_off": event.stop_seconds,
            "strength": event.strength,
        }
        for event in scene.events
    ]


def _higher(scene: Scene) -> dict[str, Any]:
    """What only clips with a moving camera, a board or mimed actions have."""
    if not (scene.shots or scene.board or scene.mimes):
        return {}
    return {
        "shots": [vars(shot) for shot in scene.shots],
        "board": None if scene.board is None else vars(scene.board),
        "mimes": [
            {"object": mime.body, "times": [event.start_seconds for event in mime.events]} for mime in scene.mimes
        ],
    }


def occlusion(seen: ndarray, whole: ndarray) -> ndarray:
    """Hidden share of a body in every frame `[T]`, from its masks `[T, H, W]`; 0 where it is not in the picture."""
    area = whole.sum(axis=(1, 2))
    return np.where(area > 0, 1 - seen.sum(axis=(1, 2)) / np.maximum(area, 1), 0.0)


def _object(scene: Scene, number: int, pictures: Pictures) -> dict[str, Any]:
    body = scene.bodies[number]
    seen, whole = pictures.masks[number], pictures.whole[number]
    area = whole.sum()
    return {
        "id": number,
        "class": body.instance.kind,
        "instance": body.instance.number,
        "size": body.size,
        "pitch_hz": body.pitch_hz,
        "gloss": body.instance.gloss,
        "sounding": any(source.body == number for source in scene.sources),
        "visible": bool(seen.any()),
        "occlusion": round(float(1 - seen.sum() / area), 4) if area else 0.0,
        "boxes": np.round(boxes(seen), 4).tolist(),
    }


def _decibel(sound: ndarray) -> float:
    return float(10 * np.log10(np.mean(sound.astype(np.float64) ** 2) + 1e-12))
