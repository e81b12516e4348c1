"""What is known of a clip of the world, as lines of words."""

from collections.abc import Mapping, Sequence
from typing import Any

from seehear.world import Rendered
from seehear.world.truth.fields import COMMON

SHOWN_VALUES = 12  # of a list; longer ones are counted
SHOWN_CHARACTERS = 320  # of a track's fact


def facts_in_words(clip: Rendered) -> list[str]:
    """Labels, caption, sources, objects, room, noise; then what only the clip's track and intervention know."""
    truth, form = clip.truth, clip.scene.format
    rate = form.frames_per_second[0] / form.frames_per_second[1]
    lines = [
        f"labels: {', '.join(clip.labels) or 'none'}",
        f"caption: {clip.caption}",
        *(_source(item, truth) for item in truth["sources"]),
        *(_object(item) for item in truth["objects"] if not item["sounding"]),
        f"room {truth['room']['background']}: depth {truth['room']['depth']:.2f}, hardness "
        f"{truth['room']['hardness']:.2f}, rings {truth['room']['reverberation_seconds']:.2f} s",
        f"noise {truth['noise']['instance']}: {_measure(truth['noise']['snr_db'], 'dB below the sources')}",
        f"level {clip.scene.level}, style {clip.scene.style}, {form.size} px, {len(clip.pixels)} frames at {rate:g}/s, "
        f"{form.seconds:g} s",
    ]
    if change := truth.get("intervention"):
        lines.append(f"intervention: {change['name']}{_parameters(change['parameters'])}")
    common = {field.name for field in COMMON}
    return lines + [f"{name.replace('_', ' ')}: {_said(truth[name])}" for name in truth if name not in common]


def _source(item: Mapping[str, Any], truth: Mapping[str, Any]) -> str:
    times = [event["t_on"] for event in truth["events"] if event["source"] == item["id"]]
    where = f"object {item['object']}" if item["on_screen"] else "near, unseen" if item.get("near") else "off screen"
    begins = ", ".join(f"{time:.2f}" for time in times[:SHOWN_VALUES]) + (" ..." if len(times) > SHOWN_VALUES else "")
    return (
        f"source {item['id']}: {item['class']} {item['instance']} ({where}), {item['pitch_hz']:.0f} Hz, "
        f"{item['rms_db']:.1f} dB; begins at {begins or 'no time'} s"
    )


def _object(item: Mapping[str, Any]) -> str:
    seen = "" if item["visible"] else ", not seen"
    return f"object {item['id']}: {item['class']} {item['instance']}, silent{seen}"


def _measure(value: float | None, unit: str) -> str:
    return "nothing sounds" if value is None else f"{value:.1f} {unit}"


def _parameters(values: Mapping[str, Any]) -> str:
    return f" ({_said(values)})" if values else ""


def _said(value: Any) -> str:
    said = _words(value)
    return said if len(said) <= SHOWN_CHARACTERS else said[: SHOWN_CHARACTERS - 4] + " ..."


def _words(value: Any) -> str:
    if isinstance(value, Mapping) and {"t_on", "t_off"} <= value.keys():
        others = [_words(held) for name, held in value.items() if name not in ("t_on", "t_off")]
        return f"{' '.join(others)} {value['t_on']:.2f} to {value['t_off']:.2f} s"
    if isinstance(value, Mapping):
        return ", ".join(f"{str(name).replace('_', ' ')} {_words(held)}" for name, held in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        if len(value) > SHOWN_VALUES:
            return f"[{len(value)} values]"
        return "; ".join(map(_words, value)) if any(isinstance(v, Mapping) for v in value) else _row(value)
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _row(values: Sequence[Any]) -> str:
    return f"[{', '.join(map(_words, values))}]"
