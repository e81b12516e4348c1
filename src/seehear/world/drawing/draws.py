"""The draws of one clip: bodies, sources, events, room, noise and grade, each from a stream of its own.

What the tracks share. A track's sampler opens `Draws`, casts the clip in its own way, and closes it with `scene`.
"""

import dataclasses
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from numpy.random import Generator

from seehear.world.classes import kind
from seehear.world.drawing import rhythm
from seehear.world.drawing.captions import caption
from seehear.world.drawing.cells import allowed, attempts, exhausted
from seehear.world.drawing.mimes import draw_mimes
from seehear.world.drawing.placing import INSIDE, arrange
from seehear.world.kinds import CODE_LENGTH
from seehear.world.levels import Level, level, level_of
from seehear.world.painting.camera import draw_shots
from seehear.world.painting.colour import draw_muted, draw_palette
from seehear.world.painting.occlusion import draw_board
from seehear.world.presets import Preset
from seehear.world.scenes import Background, Body, Event, Grade, Instance, Noise, Scene, Source
from seehear.world.sounds.room import reverberation_seconds
from seehear.world.splits import BACKGROUND_INSTANCES, NOISE_INSTANCES, OBJECT_INSTANCES, instances
from seehear.world.streams import child_seed, stream

PITCH_SIZES = (0.22, 0.82)  # sizes at which a class reaches its highest and its lowest pitch
PITCH_JITTER = 0.03
MANY_SHRINK = {1: 1.0, 2: 0.72, 3: 0.6, 4: 0.56, 5: 0.53}  # size factor by number of visible bodies


@cache
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


@dataclass(frozen=True)
class Draws:
    """What can be drawn for clip `index` of a split; every method is a pure function of these four."""

    preset: Preset
    split: str
    index: int
    seed: int

    @cached_property
    def level(self) -> int:
        """Number of the clip's level: `test_ood` is one above the preset's."""
        return level_of(self.preset.level, self.split)

    @cached_property
    def knobs(self) -> Level:
        """The level's knobs."""
        return level(self.level)

    @property
    def key(self) -> tuple[int | str, ...]:
        """Path of the clip's streams."""
        return (self.seed, self.split, self.preset.track, self.index)

    def stream(self, *factor: int | str) -> Generator:
        """The random stream of one factor of this clip."""
        return stream(*self.key, *factor)

    def child_seed(self, *factor: int | str) -> int:
        """A seed for one factor of this clip, to be stored in the scene."""
        return child_seed(*self.key, *factor)

    def turn(self, factor: str, block: int, count: int) -> int:
        """A number below `count`, the same for `block` clips in a row; each number once in `count` blocks."""
        number = self.index // block
        own = stream(self.seed, self.split, self.preset.track, factor, number // count)
        return int(own.permutation(count)[number % count])

    # ------------------------------------------------------------------------------------------------------- bodies
    def company(self, first: str, names: Sequence[str]) -> list[str]:
        """`first`, which is to sound, and silent others of `names`, each once, as many as the level shows."""
        rng, knobs = self.stream("company"), self.knobs
        others = [name for name in names if name != first]
        rng.shuffle(others)
        shown = int(rng.integers(knobs.bodies[0], knobs.bodies[1] + 1))
        if rng.uniform() >= knobs.silent_share:
            shown = knobs.bodies[0]
        return [first, *others[: shown - 1]]

    def bodies(self, names: Sequence[str]) -> tuple[Body, ...]:
        """A body per name, no individual twice, standing as far apart as the level asks."""
        found: list[Body] = []
        for number, name in enumerate(names):
            taken = {(body.instance.kind, body.instance.number) for body in found}
            found.append(self.body(number, name, len(names), taken))
        return self.placed(found)

    def placed(self, bodies: Sequence[Body]) -> tuple[Body, ...]:
        """The same bodies where they stand together; one alone stays where it was drawn."""
        if len(bodies) < 2:
            return tuple(bodies)
        places = arrange(self.stream("places"), [body.size for body in bodies], self.knobs.most_covered)
        return tuple(dataclasses.replace(body, x=x, y=y) for body, (x, y) in zip(bodies, places, strict=True))

    def body(
        self,
        number: int | str,
        name: str,
        count: int,
        taken: Collection[tuple[str, int]] = (),
        sizes: tuple[float, float] | None = None,
        unseen: bool = False,
        pool: Sequence[int] | None = None,
    ) -> Body:
        """Body `number` of `count`: drawn again while it is `taken` or lies in another split's parameter cell.

        Args:
            number: names the stream.
            name: its class.
            count: visible bodies, which shrink each other.
            taken: (class, instance number) of bodies that stand there already.
            sizes: range in picture widths, as it is; by default the level's, shrunk by `count`.
            unseen: it will only be heard: its parameter cell takes the size that its pitch means.
            pool: instance numbers to choose from; by default those of the split.
        """
        pool = instances(self.split, OBJECT_INSTANCES) if pool is None else pool
        for path in attempts((*self.key, "body", number)):
            body = self._uncoloured(path, name, count, sizes, pool)
            twice = (name, body.instance.number) in taken
            size = size_at(name, body.pitch_hz) if unseen else body.size
            if not twice and self._may_show(body.instance, size, body.pitch_hz):
                palette = draw_palette(stream(*path, "palette"))
                return dataclasses.replace(body, palette=palette, texture_seed=child_seed(*path, "texture"))
        raise exhausted(name, self.split)

    def _uncoloured(
        self, own: tuple, name: str, count: int, sizes: tuple[float, float] | None, pool: Sequence[int]
    ) -> Body:
        pose = stream(*own, "pose")
        who = instance(name, int(stream(*own, "instance").choice(pool)), self.knobs.spread, self.seed)
        if sizes is None:
            size = pose.uniform(*self.knobs.sizes) * MANY_SHRINK.get(count, min(MANY_SHRINK.values()))
        else:
            size = pose.uniform(*sizes)
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
            palette=(),
            texture_seed=0,
        )

    def _may_show(self, who: Instance, size: float, pitch_hz: float) -> bool:
        return not self.preset.cells or allowed(self.split, who, size, pitch_hz)

    # ------------------------------------------------------------------------------------------------------- sounds
    def sources(self, bodies: Sequence[Body], sounding: int, off_screen: str | None = None) -> tuple[Source, ...]:
        """The first `sounding` bodies as sources, and one of a class off screen where it is named."""
        rng = self.stream("sources")
        found = [
            self.source(body, k, round(rng.uniform(-5, 0) if sounding > 1 else 0.0, 4))
            for k, body in enumerate(bodies[:sounding])
        ]
        if off_screen is not None:
            who, pitch = self._unseen(rng, off_screen)
            own = self.child_seed("source", "off")
            found.append(Source(who, None, pitch, round(rng.uniform(-5, 0), 4), own))
        return tuple(found)

    def source(self, body: Body, number: int, gain_db: float = 0.0) -> Source:
        """Body `number` as a source."""
        return Source(body.instance, number, body.pitch_hz, gain_db, self.child_seed("source", number))

    def _unseen(self, rng: Generator, name: str) -> tuple[Instance, float]:
        """An individual off screen and its pitch; its parameter cell takes the size that the pitch means."""
        for path in attempts((*self.key, "sources", "off")):
            own = stream(*path) if "attempt" in path else rng
            number = int(own.choice(instances(self.split, OBJECT_INSTANCES)))
            who = instance(name, number, self.knobs.spread, self.seed)
            pitch = round(pitch_at(name, own.uniform(*self.knobs.sizes)), 4)
            if self._may_show(who, size_at(name, pitch), pitch):
                return who, pitch
        raise exhausted(name, self.split)

    def events(self, sources: Sequence[Source]) -> tuple[Event, ...]:
        """When each source sounds."""
        return tuple(
            event
            for number, source in enumerate(sources)
            for event in self.rhythm(source.instance, number, "events", number)
        )

    def rhythm(self, who: Instance, source: int, *factor: int | str) -> list[Event]:
        """When an individual sounds, or would, from the stream of a factor."""
        own = kind(who.kind)
        found = rhythm.schedule(self.stream(*factor), own.rhythm, source, self.preset.format.seconds)
        return found if own.follow is None else own.follow(who, found)

    # -------------------------------------------------------------------------------------------- room, noise, grade
    def background(self) -> Background:
        """The room."""
        rng = self.stream("background")
        number = int(rng.choice(instances(self.split, BACKGROUND_INSTANCES)))
        own = stream(self.seed, "room", number)
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
            seed=child_seed(self.seed, "room", number),
        )

    def noise(self) -> Noise:
        """The background noise."""
        rng = self.stream("noise")
        number = int(rng.choice(instances(self.split, NOISE_INSTANCES)))
        own = stream(self.seed, "noise", number)
        snr = round(rng.uniform(*self.knobs.snr_db), 4)
        noisy = child_seed(self.seed, "noise", number, int(rng.integers(2**31)))
        return Noise(number, round(own.uniform(-6, 0), 4), snr, noisy)

    def grade(self) -> Grade:
        """Mean colour, contrast, loudness, light and shake."""
        rng = self.stream("grade")
        mean = tuple(round(float(v), 6) for v in rng.uniform(0.38, 0.55) + rng.uniform(-0.06, 0.06, 3))
        return Grade(
            mean_rgb=(mean[0], mean[1], mean[2]),
            contrast=round(rng.uniform(0.17, 0.23), 6),
            loudness_db=round(rng.uniform(-30, -18), 4),
            light=round(float(rng.uniform(-2.6, -0.5)), 6),
            shake=self.knobs.shake,
            seed=self.child_seed("grade"),
        )

    # -------------------------------------------------------------------------------------------------- the whole
    def scene(
        self, bodies: Sequence[Body], sources: Sequence[Source], *, labels: Sequence[str] | None = None, **others: Any
    ) -> Scene:
        """The clip's scene; what is not given is drawn as the level asks.

        Args:
            bodies: what is seen.
            sources: what is heard, if anything; the first is what the caption speaks of.
            labels: by default the classes of the sources.
            others: further fields of `Scene`, instead of those drawn here.
        """
        background = others.pop("background", None) or self.background()
        if "caption" not in others:
            first = sources[0] if sources else None
            said = caption(self.stream("caption"), self.split, background, tuple(bodies), first)
            others["caption"], others["caption_template"] = said
        fields: dict[str, Any] = {
            "style": self.preset.style,
            "noise": self.noise(),
            "grade": self.grade(),
            "events": self.events(sources),
            **self._higher(tuple(bodies), tuple(sources)),
        } | others
        heard = [source.instance.kind for source in sources]
        return Scene(
            id=f"{self.split}-{self.preset.track}{self.level}-{self.seed}-{self.index:06d}",
            seed=self.seed,
            split=self.split,
            track=self.preset.track,
            index=self.index,
            level=self.level,
            format=self.preset.format,
            background=background,
            bodies=tuple(bodies),
            sources=tuple(sources),
            labels=tuple(dict.fromkeys(heard if labels is None else labels)),
            **fields,
        )

    def _higher(self, bodies: tuple[Body, ...], sources: tuple[Source, ...]) -> dict[str, Any]:
        """What only levels 2 and 3 have: the camera's path, the board, mimed actions."""
        found: dict[str, Any] = {}
        knobs, seconds = self.knobs, self.preset.format.seconds
        if knobs.camera_moves:
            found["shots"] = draw_shots(self.stream("camera"), knobs.camera_moves, knobs.shots, seconds)
        if knobs.hidden_seconds:
            own = self.child_seed("board", "wood")
            found["board"] = draw_board(self.stream("board"), len(bodies), knobs.hidden_seconds, seconds, own)
        if knobs.mime_share:
            found["mimes"] = draw_mimes(self.stream("mimes"), bodies, sources, knobs.mime_share, seconds)
        return found
