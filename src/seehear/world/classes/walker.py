"""Walker: a person of capsules with shirt, trousers, shoes and pack, walking in place over ground that slides by.

Two-bone legs and arms swing as pendulums whose phase passes a whole number at every heel strike; the hip rides at the
height that keeps the lower foot on the ground. Boards or gravel show, and sound, under the shoes.
"""

import numpy as np
from numpy import ndarray

from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Motion, Part, Stage
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.footsteps import stepping

HIP, SHOULDER = (0.0, 0.06), (0.0, -0.42)
THIGH, SHANK, UPPER_ARM, FOREARM = 0.36, 0.36, 0.25, 0.25
HEEL, TOE = (-0.07, SHANK + 0.075), (0.17, SHANK + 0.075)  # seen from the knee of a hanging leg
GROUND_Y = HIP[1] + THIGH + SHANK + 0.05
STEP_SECONDS = 0.55  # a step is no slower; the walker waits in stride before it
LEG_SWING, KNEE_BEND, ARM_SWING, ELBOW_BEND = 0.5, 1.0, 0.5, 0.55
POSES = 8  # per step
STRIDE = 0.66  # how far the ground slides per step
FAR = 0.62  # limbs on the far side lie in shade


def _extent(_: Instance) -> Extent:
    return (-0.85, -0.95, 0.85, 1.03)


def _gravel(instance: Instance) -> float:
    """0 for boards to 1 for gravel."""
    return between(instance, 0, 0.0, 1.0)


def stride_phase(times: ndarray, events: tuple[Event, ...]) -> ndarray:
    """Steps taken `[T]`: whole at each heel strike, even where the near foot strikes; still where nothing sounds."""
    if not events:
        return np.zeros(len(times))
    starts = np.array([event.start_seconds for event in events])
    following = np.searchsorted(starts, times, side="right")
    before = np.concatenate([[-np.inf], starts])[following]
    after = np.concatenate([starts, [np.inf]])[following]
    length = np.minimum(after - before, STEP_SECONDS)
    done = np.clip(1 - (after - times) / length, 0, 1)
    return following - 1 + done + events[0].side


def _leg(stage: Stage, phase: ndarray) -> tuple[ndarray, ndarray]:
    """Angles `[T]` of thigh and shank, forward positive, of the leg whose heel strikes at even phases."""
    swing = LEG_SWING * between(stage.body.instance, 1, 0.85, 1.1)
    thigh = swing * np.cos(np.pi * phase) + 0.06
    lifted = np.clip(np.mod(phase, 2) - 1, 0, 1)  # the foot is off the ground in the second half of the cycle
    knee = 0.1 + KNEE_BEND * np.sin(np.pi * lifted) ** 2
    return thigh, thigh - knee * (lifted > 0) - 0.1 * (lifted <= 0)


def _at(angle: ndarray, length: float) -> ndarray:
    """End `[T, 2]` of a bone that hangs at an angle from the origin."""
    return length * np.column_stack([np.sin(angle), np.cos(angle)])


def _lowest(thigh: ndarray, shank: ndarray) -> ndarray:
    """Depth `[T]` of a foot's lowest point below the hip."""
    knee = THIGH * np.cos(thigh)
    return np.maximum(*(knee + y * np.cos(shank) - x * np.sin(shank) for x, y in (HEEL, TOE)))


def _bone(
    stage: Stage, role: str, start: tuple[float, float], length: float, width: float, shade: float, reach: float = 0.0
) -> Brush:
    """A limb: one capsule that hangs from its joint; `reach` makes room in front of it."""
    x0, y0 = start
    brush = stage.sprite(
        (x0 - width - 0.03, y0 - width - 0.03, x0 + max(width, reach) + 0.03, y0 + length + width + 0.06)
    )
    weave = texture.speckle(brush.x, brush.y, stage.body.texture_seed + 2, 60, 0.1)
    limb = shapes.capsule(brush.x, brush.y, start, (x0, y0 + length), width)
    brush.paint(limb, role, grain=weave * np.float32(shade), bevel=width, outline=0.85)
    return brush


def _shin(stage: Stage, shade: float) -> Brush:
    """A shank with its shoe: sole, heel, toe cap and laces."""
    knee = (HIP[0], HIP[1] + THIGH)
    brush = _bone(stage, "second", knee, SHANK - 0.02, 0.078, shade, reach=0.18)
    u, v = brush.x - np.float32(knee[0]), brush.y - np.float32(knee[1])
    shoe = np.minimum(shapes.capsule(u, v, (-0.01, SHANK), (0.11, SHANK + 0.02), 0.058),
                      shapes.box(u, v, -0.01, SHANK - 0.04, 0.07, 0.07, 0.03))  # fmt: skip
    brush.paint(shoe, "accent", grain=shade, bevel=0.05, outline=0.8, gloss=0.2)
    brush.paint(shapes.box(u, v, 0.05, SHANK + 0.06, 0.125, 0.026, 0.015), "dark", outline=0.0)
    return brush


def _hand(stage: Stage, shade: float) -> Brush:
    """A forearm with rolled sleeve and hand."""
    elbow = (SHOULDER[0], SHOULDER[1] + UPPER_ARM)
    brush = _bone(stage, "light", elbow, FOREARM - 0.04, 0.05, shade)
    x, y = brush.x, brush.y
    brush.paint(shapes.capsule(x, y, elbow, (elbow[0], elbow[1] + 0.07), 0.066), "body", grain=shade, outline=0.85)
    brush.paint(shapes.circle(x, y, elbow[0], elbow[1] + FOREARM, 0.065), "light", grain=shade, outline=0.85)
    return brush


def _trunk(stage: Stage) -> Brush:
    """Pack, shirt with stripes, belt, neck and head."""
    seed = stage.body.texture_seed
    brush = stage.sprite((-0.48, -1.0, 0.36, 0.28))
    x, y = brush.x, brush.y
    cloth = texture.speckle(x, y, seed, 50, 0.1)
    brush.paint(shapes.box(x, y, -0.25, -0.22, 0.15, 0.22, 0.08), "accent", grain=cloth, bevel=0.1, outline=0.9)
    brush.paint(shapes.box(x, y, -0.3, -0.14, 0.1, 0.09, 0.03), "accent", grain=cloth, bevel=0.04, outline=0.9)
    wide = between(stage.body.instance, 2, 0.15, 0.18)
    brush.paint(shapes.capsule(x, y, (0, -0.62), (0, -0.48), 0.065), "light", outline=0.7)
    shirt = shapes.capsule(x, y, (0.0, -0.4), (0.0, 0.02), wide)
    brush.paint(shirt, "body", grain=cloth, bevel=0.14, outline=0.85)
    for level in (-0.36, -0.24, -0.12):
        stripe = np.maximum(np.abs(y - np.float32(level)) - np.float32(0.028), shirt + np.float32(0.025))
        brush.paint(stripe, "light", outline=0.0, opacity=0.9)
    hips = np.maximum(shirt - np.float32(0.008), np.float32(0.03) - y)
    brush.paint(hips, "second", grain=cloth, bevel=0.1, outline=0.7)
    belt = np.maximum(np.abs(y - np.float32(0.03)) - np.float32(0.03), shirt)
    brush.paint(belt, "dark", outline=0.0)
    strap = np.maximum(shapes.ring(x, y, -0.1, -0.3, 0.21, 0.05), shirt + np.float32(0.01))
    brush.paint(strap, "accent", outline=0.5)
    _face(brush, stage)
    return brush


def _face(brush: Brush, stage: Stage) -> None:
    x, y = brush.x, brush.y
    cx, cy, radius = 0.03, -0.76, 0.17
    skull = shapes.circle(x, y, cx, cy, radius)
    brush.paint(np.minimum(skull, shapes.circle(x, y, cx + 0.17, cy + 0.03, 0.04)), "light", bevel=0.12, outline=0.85)
    hair = np.maximum(shapes.circle(x, y, cx - 0.015, cy - 0.01, radius + 0.025),
                      -shapes.circle(x, y, cx + 0.11, cy + 0.07, 0.17))  # fmt: skip
    strands = texture.wood(x, y, stage.body.texture_seed + 5, rings=12, strength=0.5)
    brush.paint(hair, "dark", grain=strands * np.float32(1.3), outline=0.0)
    brush.paint(shapes.ellipse(x, y, cx + 0.095, cy - 0.015, 0.022, 0.034), "dark", outline=0.0)
    brush.paint(shapes.capsule(x, y, (cx + 0.08, cy + 0.09), (cx + 0.13, cy + 0.08), 0.012), "dark", outline=0.0)
    brush.paint(shapes.ellipse(x, y, cx - 0.03, cy + 0.02, 0.03, 0.045), "light", outline=0.8)


def _ground(stage: Stage, phase: ndarray) -> Part:
    """A strip of boards or gravel that slides by under the feet."""
    gravel = np.float32(_gravel(stage.body.instance))
    brush = stage.still((-0.86, GROUND_Y - 0.05, 0.86, 1.02))
    slab = shapes.box(brush.x, brush.y, 0, (GROUND_Y + 0.99) / 2, 0.83, (0.99 - GROUND_Y) / 2, 0.02)
    brush.paint(slab, "second", bevel=0.02, outline=0.9)
    x = brush.x[None] + (STRIDE * phase).astype(np.float32)[:, None, None]
    y = np.broadcast_to(brush.y[None], x.shape)
    place = x * np.float32(1 / STRIDE * 2)
    joint = np.clip(np.abs(place - np.round(place)) * np.float32(brush.density * STRIDE / 2) - np.float32(0.4), 0.15, 1)
    boards = joint * (1 + np.float32(0.12) * texture.noise(x, y, 6, 60, stage.body.texture_seed))
    stones = np.clip(1 + np.float32(0.42) * texture.noise(x, y, 110, 150, stage.body.texture_seed), 0.2, 1.8)
    rgba = np.repeat(brush.rgba[None], len(phase), axis=0)
    rgba[..., :3] *= ((1 - gravel) * boards + gravel * stones)[..., None]
    return Part(brush.row, brush.column, np.clip(rgba, 0, 1.3), np.arange(len(phase)))


def _limb(
    stage: Stage, brushes: tuple[Brush, Brush], joint: tuple[float, float], lengths: float, angles: tuple, ride: ndarray
) -> list[Part]:
    """Two bones in a chain: `angles` of both, forward positive, from a joint that rides along."""
    first, second = angles
    middle = (joint[0], joint[1] + lengths)
    follow = _at(first, lengths) - np.array([0.0, lengths]) + ride
    return [
        stage.move(brushes[0], Motion(joint, -first, ride)),
        stage.move(brushes[1], Motion(middle, -second, follow)),
    ]


def _side(stage: Stage, phase: ndarray, ride: ndarray, shade: float) -> tuple[list[Part], list[Part]]:
    """Leg and arm of one side; the arm swings against the leg."""
    thigh = _bone(stage, "second", HIP, THIGH, 0.092, shade)
    leg = _limb(stage, (thigh, _shin(stage, shade)), HIP, THIGH, _leg(stage, phase), ride)
    upper = _bone(stage, "body", SHOULDER, UPPER_ARM, 0.068, shade)
    swing = -ARM_SWING * np.cos(np.pi * phase)
    arm = _limb(stage, (upper, _hand(stage, shade)), SHOULDER, UPPER_ARM, (swing, swing + ELBOW_BEND), ride)
    return leg, arm


def _draw(stage: Stage) -> list[Part]:
    phase = np.round(stride_phase(stage.times, stage.events) * POSES) / POSES
    figure = np.mod(phase, 2)
    depth = np.maximum(_lowest(*_leg(stage, figure)), _lowest(*_leg(stage, figure + 1)))
    ride = np.column_stack([np.zeros(len(phase)), GROUND_Y - HIP[1] - depth])
    far_leg, far_arm = _side(stage, figure + 1, ride, FAR)
    leg, arm = _side(stage, figure, ride, 1.0)
    trunk = stage.move(_trunk(stage), Motion(HIP, np.full(len(phase), 0.04), ride))
    return [_ground(stage, phase), *far_arm, *far_leg, *leg, trunk, *arm]


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    return stepping(source, events, samples, gravel=_gravel(source.instance))


KIND = Kind(
    name="walker",
    group="person",
    synonyms=("walker", "walking person", "pedestrian"),
    sounds=("walks", "steps along", "strides"),
    rhythm="impacts",
    pitch_range_hz=(70.0, 500.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
)
