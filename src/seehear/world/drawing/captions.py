"""Captions: a small grammar whose templates are split like every other pool, so test captions are worded anew.

About a third of the templates name no class at all (attributes only), and silent objects may be mentioned. Clips in
which nothing sounds have templates of their own, whose numbers go on where the others end.
"""

from numpy.random import Generator

from seehear.world.classes import kind
from seehear.world.scenes import Background, Body, Source
from seehear.world.splits import instances

TEMPLATES = (
    "a {thing} {sounds} in {room}",
    "in {room}, a {thing} {sounds}",
    "the {size} {thing} {sounds}",
    "{pitch} {thing} in {room}",
    "you can hear a {thing}",
    "a {size} {thing} that {sounds}",
    "{room} with a {thing}",
    "a {thing}, {pitch} and clear",
    "someone recorded a {thing} in {room}",
    "something {size} on the {side} makes a {pitch} sound",
    "a {pitch} sound in {room}",
    "a {size} object in {room}",
    "on the {side} something {pitch} can be heard",
    "{room}, and a {pitch} sound",
    "what stands on the {side} {sounds}",
    "a short clip of a {thing}",
    "listen: the {thing} {sounds}",
    "here a {size} {thing} {sounds}, {pitch}",
    "the {thing} on the {side} {sounds}",
    "a {pitch} {thing} on the {side}",
    "there it {sounds} in {room}",
    "from the {side} comes a {pitch} sound",
    "{size} and {pitch}, that is all one notices",
    "a {thing} in {room}",
    "on the {side}, a {size} {thing}",
    "{pitch} sounds of a {thing}",
    "the {thing} {sounds} again",
    "a room in which a {thing} {sounds}",
    "a {thing} heard in {room}",
    "one hears how a {thing} {sounds}",
    "a {size} thing makes itself heard in {room}",
    "{room} where a {thing} {sounds}",
    "close to the {side}: a {thing}",
    "that is a {thing}, and it {sounds}",
    "a {pitch} noise from the {side}",
    "the sound of a {size} {thing}",
    "a {thing} {sounds} on the {side}",
    "{size}, {pitch}, in {room}",
    "video of a {thing} in {room}",
    "this {thing} {sounds}",
)
SILENT_TEMPLATES = (
    "nothing sounds in {room}",
    "a silent {thing} in {room}",
    "{room}, and only noise is heard",
    "the {thing} makes no sound",
    "{room} with a {thing} that is not heard",
    "one hears nothing but noise",
    "a {thing}, without any sound of its own",
    "no sound comes from the {thing}",
    "in {room} all things keep quiet",
    "a {thing} on the {side}, unheard",
)


def caption(
    rng: Generator, split: str, background: Background, bodies: tuple[Body, ...], source: Source | None
) -> tuple[str, int]:
    """A caption of the first source, or of silence, and the number of its template."""
    if source is None:
        return _silence(rng, split, background, bodies)
    number = int(rng.choice(instances(split, len(TEMPLATES))))
    own = kind(source.instance.kind)
    low, high = own.pitch_range_hz
    body = bodies[source.body] if source.body is not None else None
    words = {
        "thing": str(rng.choice(own.synonyms)).removeprefix("a "),
        "sounds": str(rng.choice(own.sounds)),
        "pitch": "high-pitched" if source.pitch_hz > (low * high) ** 0.5 else "low-pitched",
        "size": "unseen" if body is None else "large" if body.size > 0.6 else "small",
        "side": "left" if body is not None and body.x < 0.5 else "right",
        "room": room_words(background),
    }
    silent = [b for k, b in enumerate(bodies) if k != source.body]
    text = TEMPLATES[number].format(**words)
    if silent and rng.uniform() < 0.3:
        text += f", beside a {kind(silent[0].instance.kind).synonyms[0]}"
    return text, number


def _silence(rng: Generator, split: str, background: Background, bodies: tuple[Body, ...]) -> tuple[str, int]:
    """A caption of a clip in which nothing sounds; it may name any body."""
    number = int(rng.choice(instances(split, len(SILENT_TEMPLATES))))
    body = bodies[int(rng.integers(len(bodies)))]
    thing = str(rng.choice(kind(body.instance.kind).synonyms)).removeprefix("a ")
    side = "left" if body.x < 0.5 else "right"
    text = SILENT_TEMPLATES[number].format(thing=thing, side=side, room=room_words(background))
    return text, len(TEMPLATES) + number


def room_words(background: Background) -> str:
    """A room in words."""
    extent = "a large hall" if background.depth > 0.66 else "a room" if background.depth > 0.33 else "a small chamber"
    return extent + (" with tiled walls" if background.hardness > 0.5 else " hung with cloth")
