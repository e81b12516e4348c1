"""Track Y: what is heard in step with what is seen, or up to 0.24 s sooner or later; for sync and animation.

Labels are classes whose every sound has a visible moment and no regular beat (see AVSync15, ECCV 2024, for real
ones). 120 pictures at 25 per second; every fourth gives 6.25 per second.

The sound is shifted by `facts["sync_offset"]` (-3 to 3) steps of 80 ms, which is two pictures or 1,280 samples;
positive is late. Each offset is drawn equally often with every label. Nothing is padded or wrapped: the thing has been
sounding for 2 s before the first picture and goes on after the last, by a law that favours no moment (`rhythm.steady`),
and the sound is made for all that time. So neither modality alone can tell the offset, nor can the edges.

Events keep the time at which they are seen, before 0 and after the end too; they are heard `sync_offset_seconds`
later. `aligned` cuts pictures and sound to what they share.
"""

from itertools import pairwise
from typing import Any

import numpy as np

from seehear.world.classes import kind
from seehear.world.drawing import rhythm
from seehear.world.drawing.draws import Draws
from seehear.world.scenes import Format, Scene

STEP_SECONDS, MOST_STEPS = 0.08, 3
OFFSETS = 2 * MOST_STEPS + 1
LEAD_SECONDS, TAIL_SECONDS = 2.0, 0.3  # what goes on around the pictures
TOLERANCE_SECONDS = 0.08


def sample(draws: Draws) -> Scene:
    """A clip of track Y."""
    classes = draws.preset.classes
    place = draws.index % len(classes)
    label = classes[place]
    offset = (place + draws.turn("offset", len(classes), OFFSETS)) % OFFSETS - MOST_STEPS
    late = round(offset * STEP_SECONDS, 6)
    bodies = draws.bodies(draws.company(label, classes))
    stop = draws.preset.format.seconds + TAIL_SECONDS
    events = rhythm.steady(draws.stream("events", 0), kind(label).rhythm, 0, -LEAD_SECONDS, stop)
    return draws.scene(
        bodies,
        (draws.source(bodies[0], 0),),
        events=tuple(events),
        margins_seconds=(LEAD_SECONDS, TAIL_SECONDS),
        sound_offset_seconds=late,
        facts={"sync_offset": offset, "sync_offset_seconds": late},
    )


def aligned(sync_offset: int, form: Format) -> tuple[slice, slice]:
    """The frames and the samples of a clip that show and sound the same stretch of time."""
    seconds = abs(sync_offset) * STEP_SECONDS
    rate = form.frames_per_second
    frames, samples = round(seconds * rate[0] / rate[1]), round(seconds * form.sample_rate)
    if sync_offset >= 0:
        return slice(0, form.frames - frames), slice(samples, form.samples)
    return slice(frames, form.frames), slice(0, form.samples - samples)


def onsets(record: dict[str, Any]) -> tuple[list[float], list[float]]:
    """When events begin within a clip, in seconds: as seen, and as heard."""
    facts, seconds = record["truth"], record["duration_seconds"]
    seen = [event["t_on"] for event in facts["events"]]
    heard = [start + facts["sync_offset_seconds"] for start in seen]
    return [t for t in seen if 0 <= t < seconds], [t for t in heard if 0 <= t < seconds]


def matches(guessed: list[float], true: list[float], tolerance: float = TOLERANCE_SECONDS) -> int:
    """How many onsets can be paired one to one within the tolerance; both in order."""
    found = here = 0
    for time in true:
        while here < len(guessed) and guessed[here] < time - tolerance:
            here += 1
        if here < len(guessed) and guessed[here] <= time + tolerance:
            found, here = found + 1, here + 1
    return found


def _f1(pairs: list[tuple[list[float], list[float]]]) -> float:
    """F1 of guessed against true onsets over all clips."""
    hits = sum(matches(guessed, true) for guessed, true in pairs)
    return round(2 * hits / max(1, sum(len(guessed) + len(true) for guessed, true in pairs)), 4)


def baselines(records: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """What can be reached without comparing sight and sound, over manifest records.

    Offsets as accuracies, also with a neighbouring offset counted as right; onsets of the picture as F1 within 80 ms,
    guessed from another clip's sound, from no motion at all, from an even beat, and from the clip's own sound as it is
    given, offset and all.
    """
    offsets = np.array([record["truth"]["sync_offset"] for record in records])
    known = [onsets(record) for record in records]
    seen = [own for own, _ in known]
    gaps = [b - a for times in seen for a, b in pairwise(times)]
    beat = float(np.mean(gaps)) if gaps else 0.0
    even = [np.arange(beat / 2, record["duration_seconds"], beat).tolist() if beat else [] for record in records]
    others = [known[(number + 1) % len(known)][1] for number in range(len(known))]
    return {
        "offset": {
            "chance": round(1 / OFFSETS, 4),
            "always in step": round(float(np.mean(offsets == 0)), 4),
            "always in step, within one step": round(float(np.mean(np.abs(offsets) <= 1)), 4),
        },
        "onsets": {
            "another clip's sound": _f1(list(zip(others, seen, strict=True))),
            "no motion": _f1([([], own) for own in seen]),
            "an even beat": _f1(list(zip(even, seen, strict=True))),
            "the sound as given": _f1([(heard, own) for own, heard in known]),
        },
    }
