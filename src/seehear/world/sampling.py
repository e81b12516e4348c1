"""Sampling: one clip's scene as a pure function of (preset, split, index, seed).

Every factor draws from a stream of its own (see `streams`). In single-label presets clip `index` shows class
`index mod C`, so any prefix of a split is as balanced as it can be.
"""

import dataclasses
import math
from typing import Any

from numpy.random import Generator

from seehear.errors import UsageError
from seehear.world import rhythm
from seehear.world.camera import draw_shots
from seehear.world.captions import caption
from seehear.world.cells import allowed, attempts, exhausted
from seehear.world.classes import kind
from seehear.world.colour import draw_muted, draw_palette
from seehear.world.kinds import CODE_LENGTH
from seehear.world.levels import Level, level, level_of
from seehear.world.mimes import draw_mimes
from seehear.world.occlusion import draw_board
from seehear.world.placing import INSIDE, arrange
from seehear.world.presets import Preset, resolve
from seehear.world.room import reverberation_seconds
from seehear.world.scenes import Background, Body, Event, Grade, Instance, Noise, Scene, Source
from seehear.world.splits import BACKGROUND_INSTANCES, NOISE_INSTANCES, OBJECT_INSTANCES, instances
from seehear.world.streams import child_seed, stream

PITCH_SIZES = (0.22, 0.82)  # sizes at which a class reaches its highest and its lowest pitch
PITCH_JITTER = 0.03
MANY_SHRINK = {1: 1.0, 2: 0.72, 3: 0.6, 4: 0.56, 5: 0.53}  # size factor by number of visible bodies


def scene(preset: str | Preset, split: str, index: int, seed: int = 0) -> Scene:
    """The scene of one clip.

    Args:
        preset: a preset or its name.
        split: "train", "val", "test", "test_iid" or "test_ood" (one level above the preset's).
        index: number of the clip in its split, from 0.
        seed: root seed of the world.

    Raises:
        UsageError: on an unknown preset or split, or a negative index or seed.
    """
    preset = resolve(preset)
    if index < 0 or seed < 0:
        raise UsageError(f"index {index}, seed {seed}", expected="both 0 or more")
    instances(split, 1)
    key = (seed, split, preset.track, index)
    number = level_of(preset.level, split)
    knobs = level(number)
    names, sounding, off_screen = _cast(stream(*key, "cast"), preset, knobs, index)
    names = _with_twin(stream(*key, "twin"), names, sounding, knobs)
    bodies = _bodies(key, names, knobs, preset, split)
    sources = _sources(key, bodies, sounding, off_screen, knobs, preset, split)
    background = _background(stream(*key, "background"), split, seed)
    text, template = caption(stream(*key, "caption"), split, background, bodies, sources[0])
    return Scene(
        id=f"{split}-{preset.track}{number}-{seed}-{index:06d}",
        seed=seed,
        split=split,
        track=preset.track,
        index=index,
        level=number,
        format=preset.format,
        background=background,
        noise=_noise(stream(*key, "noise"), knobs, split, seed),
        grade=_grade(stream(*key, "grade"), knobs, child_seed(*key, "grade")),
        bodies=bodies,
        sources=sources,
        events=_events(key, sources, preset.format.seconds),
        labels=tuple(dict.fromkeys(source.instance.kind for source in sources)),
        caption=text,
        caption_template=template,
        **_higher(key, knobs, bodies, sources, preset.format.seconds),
    )


def instance(name: str, number: int, spread: float, seed: int) -> Instance:
    """One individual of a class: the same wherever it appears under this root seed."""
    rng = stream(seed, "instance", name, number)
    code = tuple(min(1.0, max(0.0, round(0.5 + spread * float(u), 6))) for u in rng.uniform(-0.5, 0.5, CODE_LENGTH))
    return Instance(name, number, code, round(float(rng.uniform()), 6), child_seed(seed, "instance", name, number))


def pitch_at(name: str, size: float) -> float:
    """Pitch in Hz of a class at a size (picture widths): geometric between its range's ends, large is low."""
    low, high = kind(name).pitch_range_hz
    small, large = PITCH_SIZES
    return low * (high / low) ** ((large - size) / (large - small))


def size_at(name: str, pitch_hz: float) -> float:
    """The size in picture widths at which a class has a pitch: the inverse of `pitch_at`."""
    low, high = kind(name).pitch_range_hz
    small, large = PITCH_SIZES
    return large - (large - small) * math.log(pitch_hz / low) / math.log(high / low)


def _cast(rng: Generator, preset: Preset, knobs: Level, index: int) -> tuple[list[str], int, str | None]:
    """Names of the visible bodies (sounding ones first), how many of them sound, and an off-screen class or None."""
    order, sounding = list(preset.classes), 1
    rng.shuffle(order)
    if preset.labelling == "single":
        first = preset.classes[index % len(order)]
        order = [first, *(name for name in order if name != first)]
    else:
        sounding = int(rng.integers(knobs.sources[0], knobs.sources[1] + 1))
    shown = max(sounding, int(rng.integers(knobs.bodies[0], knobs.bodies[1] + 1)))
    if rng.uniform() >= knobs.silent_share:
        shown = max(sounding, knobs.bodies[0])
    if rng.uniform() >= knobs.off_screen_share:
        return order[:shown], sounding, None
    if preset.labelling == "single":  # the labelled class sounds unseen, the visible ones are silent
        return order[1 : shown + 1], 0, order[0]
    return order[:shown], sounding, order[shown]


def _with_twin(rng: Generator, names: list[str], sounding: int, knobs: Level) -> list[str]:
    """The cast, in a share of the clips with a silent body of a sounding body's class in the last place."""
    if rng.uniform() >= knobs.twin_share or not sounding:
        return names
    return [*(names[:-1] if len(names) > sounding else names), names[int(rng.integers(sounding))]]


def _higher(
    key: tuple, knobs: Level, bodies: tuple[Body, ...], sources: tuple[Source, ...], seconds: float
) -> dict[str, Any]:
    """What only levels 2 and 3 have: the camera's path, the board, mimed actions."""
    found: dict[str, Any] = {}
    if knobs.camera_moves:
        found["shots"] = draw_shots(stream(*key, "camera"), knobs.camera_moves, knobs.shots, seconds)
    if knobs.hidden_seconds:
        own = child_seed(*key, "board", "wood")
        found["board"] = draw_board(stream(*key, "board"), len(bodies), knobs.hidden_seconds, seconds, own)
    if knobs.mime_share:
        found["mimes"] = draw_mimes(stream(*key, "mimes"), bodies, sources, knobs.mime_share, seconds)
    return found


def _bodies(key: tuple, names: list[str], knobs: Level, preset: Preset, split: str) -> tuple[Body, ...]:
    bodies: list[Body] = []
    for number, name in enumerate(names):
        taken = {(body.instance.kind, body.instance.number) for body in bodies}
        bodies.append(_body(key, number, name, len(names), knobs, preset, split, taken))
    if len(bodies) > 1:
        places = arrange(stream(*key, "places"), [body.size for body in bodies], knobs.most_covered)
        bodies = [dataclasses.replace(body, x=x, y=y) for body, (x, y) in zip(bodies, places, strict=True)]
    return tuple(bodies)


def _body(key: tuple, number: int, name: str, count: int, knobs: Level, preset: Preset, split: str, taken: set) -> Body:
    """Draw a body, again while it stands there already or lies in another split's parameter cell."""
    for path in attempts((*key, "body", number)):
        body = _draw_body(path, name, count, knobs, split, key[0])
        twice = (name, body.instance.number) in taken
        if not twice and (not preset.cells or allowed(split, body.instance, body.size, body.pitch_hz)):
            return body
    raise exhausted(name, split)


def _draw_body(own: tuple, name: str, count: int, knobs: Level, split: str, seed: int) -> Body:
    pose = stream(*own, "pose")
    pool = instances(split, OBJECT_INSTANCES)
    who = instance(name, int(stream(*own, "instance").choice(pool)), knobs.spread, seed)
    size = pose.uniform(*knobs.sizes) * MANY_SHRINK.get(count, min(MANY_SHRINK.values()))
    reach = 0.5 - size * INSIDE
    x, y = 0.5 + pose.uniform(-reach, reach), 0.5 + pose.uniform(-reach, reach)
    pitch = pitch_at(name, size) * 2 ** (PITCH_JITTER * pose.standard_normal())
    return Body(
        instance=who,
        size=round(size, 6),
        pitch_hz=round(float(pitch), 4),
        x=round(x, 6),
        y=round(y, 6),
        angle=round(pose.uniform(-0.2, 0.2), 6),
        flip=bool(pose.integers(2)),
        palette=draw_palette(stream(*own, "palette")),
        texture_seed=child_seed(*own, "texture"),
    )


def _sources(
    key: tuple, bodies: tuple[Body, ...], sounding: int, off_screen: str | None,
    knobs: Level, preset: Preset, split: str,
) -> tuple[Source, ...]:  # fmt: skip
    rng = stream(*key, "sources")
    result = [
        Source(body.instance, k, body.pitch_hz, round(rng.uniform(-5, 0) if sounding > 1 else 0.0, 4),
               child_seed(*key, "source", k))
        for k, body in enumerate(bodies[:sounding])
    ]  # fmt: skip
    if off_screen is not None:
        who, pitch = _unseen(rng, key, off_screen, knobs, preset, split)
        result.append(Source(who, None, pitch, round(rng.uniform(-5, 0), 4), child_seed(*key, "source", "off")))
    return tuple(result)


def _unseen(rng: Generator, key: tuple, name: str, knobs: Level, preset: Preset, split: str) -> tuple[Instance, float]:
    """An individual off screen and its pitch; its parameter cell takes the size that the pitch means."""
    for path in attempts((*key, "sources", "off")):
        own = stream(*path) if "attempt" in path else rng
        number = int(own.choice(instances(split, OBJECT_INSTANCES)))
        who = instance(name, number, knobs.spread, key[0])
        pitch = round(pitch_at(name, own.uniform(*knobs.sizes)), 4)
        if not preset.cells or allowed(split, who, size_at(name, pitch), pitch):
            return who, pitch
    raise exhausted(name, split)


def _events(key: tuple, sources: tuple[Source, ...], seconds: float) -> tuple[Event, ...]:
    events = []
    for number, source in enumerate(sources):
        rng = stream(*key, "events", number)
        events += rhythm.schedule(rng, kind(source.instance.kind).rhythm, number, seconds)
    return tuple(events)


def _background(rng: Generator, split: str, seed: int) -> Background:
    number = int(rng.choice(instances(split, BACKGROUND_INSTANCES)))
    own = stream(seed, "room", number)
    depth, hardness = round(own.uniform(), 6), round(own.uniform(), 6)
    return Background(
        instance=number,
        depth=depth,
        hardness=hardness,
        pattern=round(own.uniform(), 6),
        vanish_x=round(own.uniform(0.35, 0.65), 6),
        vanish_y=round(own.uniform(0.35, 0.6), 6),
        reverberation_seconds=round(reverberation_seconds(depth, hardness), 6),
        palette=draw_muted(rng, 4),
        seed=child_seed(seed, "room", number),
    )


def _noise(rng: Generator, knobs: Level, split: str, seed: int) -> Noise:
    number = int(rng.choice(instances(split, NOISE_INSTANCES)))
    own = stream(seed, "noise", number)
    snr = round(rng.uniform(*knobs.snr_db), 4)
    return Noise(number, round(own.uniform(-6, 0), 4), snr, child_seed(seed, "noise", number, int(rng.integers(2**31))))


def _grade(rng: Generator, knobs: Level, own: int) -> Grade:
    mean = tuple(round(float(v), 6) for v in rng.uniform(0.38, 0.55) + rng.uniform(-0.06, 0.06, 3))
    return Grade(
        mean_rgb=(mean[0], mean[1], mean[2]),
        contrast=round(rng.uniform(0.17, 0.23), 6),
        loudness_db=round(rng.uniform(-30, -18), 4),
        light=round(float(rng.uniform(-2.6, -0.5)), 6),
        shake=knobs.shake,
        seed=own,
    )
