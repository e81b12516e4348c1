"""Track I: hands that change the state of things, heard or not (RepLAI: state change, its moment, what comes next).

A clip is of one `mix` kind, in shares of `MIX`: its interactions are audible changes, audible contacts that change
nothing, silent changes, or none (the hand turns back short of the thing, or nothing happens at all). Up to the touch
nothing tells which. All clips of the actions' things are equally many in each kind.

A clip's labels are the actions that took place, none where nothing changed. From level 1 on it holds one to three
interactions with one or two things, in an order drawn from a Markov chain (`interactions.actions`); what would come
next is drawn from the chain too, after the last action.

Times of interaction are uniform inside the clip's margins, at least `SHORTEST_GAP_SECONDS` apart. The time of an
audible interaction is that of its sound by the same law for all things; what falls first was touched that much earlier.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator

from seehear.errors import UsageError
from seehear.world.classes import kind
from seehear.world.drawing.captions import room_words
from seehear.world.drawing.draws import Draws
from seehear.world.drawing.tagging import GOLDEN
from seehear.world.interactions.actions import NOUNS, action, chain, contact_place, label
from seehear.world.interactions.hand import SIZE, STAY_SECONDS
from seehear.world.interactions.states import CHANGE, CONTACT, MISS, TOUCH
from seehear.world.scenes import Background, Body, Event, Grade, Mime, Scene, Source
from seehear.world.splits import instances

AUDIBLE_CHANGE, AUDIBLE_CONTACT, SILENT_CHANGE, NEITHER = (
    "audible change",
    "audible contact",
    "silent change",
    "neither",
)
MIX = {AUDIBLE_CHANGE: 0.5, AUDIBLE_CONTACT: 0.2, SILENT_CHANGE: 0.15, NEITHER: 0.15}
NOTHING_SHARE = 0.4  # of the clips of kind "neither": not even a hand is seen
MARGIN_SECONDS, SHORTEST_GAP_SECONDS = 0.95, 1.1
MOST_INTERACTIONS, MOST_THINGS = 3, 3
LEAN = 0.35  # radians by which a forearm leans to either side
SHAKE = 0.018  # of a camera worn on the head, in picture widths
LOUDNESS_DB = (-36.0, -26.0)  # one short sound in a long clip has high peaks for its level
SHORTEST_EVENT_SECONDS = 0.06
TOLERANCE_SECONDS = 0.15  # around a moment of interaction

TEMPLATES = (
    "a hand reaches for a {thing} in {room}",
    "in {room}, a hand and a {thing}",
    "someone is busy with a {thing}",
    "a {thing} within reach in {room}",
    "first-person view of a {thing}",
    "a hand, a {thing}, {room}",
    "seen from above the hands: a {thing}",
    "someone films a {thing} in {room}",
    "{room}, with a {thing} on the {side}",
    "on the {side} a {thing}",
    "a close look at a {thing}",
    "a {thing} and what a hand does with it",
    "something on the {side} is reached for",
    "a shaky view of {room}",
    "a wobbling picture, something on the {side}",
    "{room}, filmed from the head",
    "a household object in {room}",
    "what happens to a {thing}",
    "a {thing}, filmed by whoever handles it",
    "head-worn camera, a {thing} in {room}",
)


CHANGING, HEARD = (AUDIBLE_CHANGE, SILENT_CHANGE), (AUDIBLE_CHANGE, AUDIBLE_CONTACT)


@dataclass(frozen=True)
class Interaction:
    """One planned interaction.

    Attributes:
        body: number of the thing.
        noun: what it is.
        before: its state.
        after: its state afterwards.
        seconds: when it changes, or is touched, or the hand is nearest.
        contact_seconds: when the hand touches it, or is nearest: earlier, where it falls before it changes.
    """

    body: int
    noun: str
    before: str
    after: str
    seconds: float
    contact_seconds: float


def sample(draws: Draws) -> Scene:
    """A clip of track I.

    Raises:
        UsageError: if clips are too short for one interaction.
    """
    mixed = mix_of(draws)
    things, plan = _plan(draws, mixed)
    unseen = mixed == NEITHER and draws.stream("nothing").uniform() < NOTHING_SHARE
    hands = () if unseen else tuple(_hand(draws, k, things[own.body], own) for k, own in enumerate(plan))
    sources = _sources(draws, things, plan) if mixed in HEARD else ()
    events, mimes = _events(draws, plan, mixed)
    if not unseen:
        mimes += tuple(_touch(len(things) + k, own, mixed) for k, own in enumerate(plan))
    background = draws.background()
    text, template = _caption(draws, background, things[0])
    done = [own.noun for own in plan] if mixed in CHANGING else []
    found = draws.scene(
        (*things, *hands),
        sources,
        background=background,
        events=events,
        mimes=mimes,
        labels=[label(noun) for noun in done],
        grade=_grade(draws),
        caption=text,
        caption_template=template,
        facts={
            "mix": mixed,
            "states": [_state(own, mixed, None if unseen else len(things) + k) for k, own in enumerate(plan)],
            "action": _action(draws, plan[-1].noun, done, mixed),
        },
    )
    if found.board is None:
        return found
    board = dataclasses.replace(found.board, body=found.board.body % len(things))  # it hides things, never hands
    return dataclasses.replace(found, board=board)


def mix_of(draws: Draws) -> str:
    """The kind of a clip; any prefix of a split comes close to the shares of `MIX`, for every thing."""
    turn, own = divmod(draws.index, len(NOUNS))
    place = (0.5 + turn * GOLDEN + own / len(NOUNS)) % 1.0
    edges = np.cumsum(list(MIX.values()))
    return list(MIX)[min(int(np.searchsorted(edges, place, side="right")), len(MIX) - 1)]


# ------------------------------------------------------------------------------------------------------------- plan
def _plan(draws: Draws, mixed: str) -> tuple[tuple[Body, ...], list[Interaction]]:
    """The things that are seen (those that are touched first), and the interactions in order of time."""
    rng, seconds = draws.stream("plan"), draws.preset.format.seconds
    span = seconds - 2 * MARGIN_SECONDS
    if span <= 0:
        raise UsageError(f"clips of {seconds} s on track I", expected="3.2 or 4.8 s: time for a hand to come and go")
    many = int(rng.integers(1, MOST_INTERACTIONS + 1)) if draws.level else 1
    many = min(many, 1 + int(span / (1.2 * SHORTEST_GAP_SECONDS)))
    order = _order(rng, NOUNS[draws.index % len(NOUNS)], many)
    touched = list(dict.fromkeys(order))
    others = [str(name) for name in rng.permutation([name for name in NOUNS if name not in touched])]
    shown = min(MOST_THINGS, int(rng.integers(draws.knobs.bodies[0], draws.knobs.bodies[1] + 1)))
    names = [*touched, *others[: max(0, shown - len(touched))]]
    things = tuple(_begun(draws, number, body) for number, body in enumerate(draws.bodies(names)))
    times = _times(rng, len(order), span)
    state = [body.manner for body in things]
    plan = []
    for noun, seconds in zip(order, times, strict=True):
        body, own = names.index(noun), action(noun)
        following = own.after(state[body]) if mixed in CHANGING else state[body]
        assert following is not None  # `_order` repeats only what can be repeated
        early = own.delay_seconds if mixed in CHANGING else 0.0
        plan.append(Interaction(body, noun, state[body], following, seconds, round(seconds - early, 6)))
        state[body] = following
    return things, plan


def _order(rng: Generator, first: str, many: int) -> list[str]:
    """Things in the order of their interactions: two at most, and only such as can change twice come again."""
    order = [first]
    if many > 1:
        order.append(str(rng.choice(NOUNS, p=chain()[NOUNS.index(first)])))
    if many > 2 and len(action(first).states) + action(first).turns > 2:
        order.append(first)
    return order


def _begun(draws: Draws, number: int, body: Body) -> Body:
    """The thing in the state in which the clip begins: of those that turn, any; of others the first."""
    own = action(body.instance.kind)
    first = int(draws.stream("state", number).integers(len(own.states))) if own.turns else 0
    return dataclasses.replace(body, manner=own.states[first])


def _times(rng: Generator, many: int, span: float) -> list[float]:
    """Times of the interactions, uniform within the margins and far enough apart."""
    free = np.sort(rng.uniform(0, span - (many - 1) * SHORTEST_GAP_SECONDS, many))
    return [round(MARGIN_SECONDS + float(t) + k * SHORTEST_GAP_SECONDS, 6) for k, t in enumerate(free)]


# ------------------------------------------------------------------------------------------------- bodies and events
def _hand(draws: Draws, number: int, thing: Body, own: Interaction) -> Body:
    """The hand, or what it holds, whose touch falls on the thing; all hands of a clip belong to one person."""
    body = draws.body("hand", action(own.noun).tool, 1, sizes=(1.0, 1.0))
    x, y = contact_place(thing, own.before)
    angle = draws.stream("hand", number).uniform(-LEAN, LEAN)
    return dataclasses.replace(body, size=SIZE, x=round(x, 6), y=round(y, 6), angle=round(float(angle), 6))


def _sources(draws: Draws, things: Sequence[Body], plan: Sequence[Interaction]) -> tuple[Source, ...]:
    """A source per thing that is touched; touched things come first among the bodies."""
    rng = draws.stream("sources")
    count = len({own.body for own in plan})
    gains = [round(rng.uniform(-5, 0), 4) if count > 1 else 0.0 for _ in range(count)]
    return tuple(draws.source(things[k], k, gain) for k, gain in enumerate(gains))


def _events(draws: Draws, plan: Sequence[Interaction], mixed: str) -> tuple[tuple[Event, ...], tuple[Mime, ...]]:
    """What is heard of the things, and what they do in silence."""
    events = [_event(draws, k, own, CHANGE if mixed in CHANGING else CONTACT) for k, own in enumerate(plan)]
    if mixed in HEARD:
        return tuple(events), ()
    if mixed == NEITHER:
        return (), ()
    silent: dict[int, tuple[Event, ...]] = {}
    for event in events:
        silent[event.source] = (*silent.get(event.source, ()), dataclasses.replace(event, source=-1))
    return (), tuple(Mime(body, own) for body, own in silent.items())


def _event(draws: Draws, number: int, own: Interaction, what: str) -> Event:
    """What happens to a thing; sources have the numbers of their bodies."""
    rng = draws.stream("event", number)
    lasts = max(SHORTEST_EVENT_SECONDS, action(own.noun).change_seconds if what == CHANGE else 0.0)
    strength = round(float(rng.uniform(0.55, 1.0)), 6)
    return Event(own.body, what, own.seconds, round(own.seconds + lasts, 6), strength, int(rng.integers(2)))


def _touch(hand: int, own: Interaction, mixed: str) -> Mime:
    """What a hand does."""
    stop = round(own.contact_seconds + STAY_SECONDS, 6)
    return Mime(hand, (Event(-1, MISS if mixed == NEITHER else TOUCH, own.contact_seconds, stop, 1.0, 0),))


def _grade(draws: Draws) -> Grade:
    """The class-independent grade, with the shake of a worn camera and room for the peaks of single sounds."""
    loudness = round(float(draws.stream("loudness").uniform(*LOUDNESS_DB)), 4)
    return dataclasses.replace(draws.grade(), shake=SHAKE, loudness_db=loudness)


# ------------------------------------------------------------------------------------------------------------- truth
def _state(own: Interaction, mixed: str, hand: int | None) -> dict[str, Any]:
    """One interaction as truth."""
    changes = mixed in CHANGING
    return {
        "object": own.body,
        "hand": hand,
        "noun": own.noun,
        "verb": _verb(own.noun, mixed),
        "before": own.before,
        "after": own.after,
        "t_change": own.seconds if changes else None,
        "audible": mixed in HEARD,
        "changes_state": changes,
        "contact_times": [] if mixed == NEITHER else [own.contact_seconds],
    }


def _verb(noun: str, mixed: str) -> str | None:
    if mixed in CHANGING:
        return action(noun).verb
    return "touch" if mixed == AUDIBLE_CONTACT else None


def _action(draws: Draws, last: str, done: Sequence[str], mixed: str) -> dict[str, Any]:
    """The last interaction of the clip, and the action that the chain draws after it."""
    following = str(draws.stream("next").choice(NOUNS, p=chain()[NOUNS.index(last)])) if done else None
    return {
        "verb": _verb(last, mixed),
        "noun": last,
        "sequence": [label(noun) for noun in done],
        "next_verb": action(following).verb if following else None,
        "next_noun": following,
        "next_action": label(following) if following else None,
    }


def _caption(draws: Draws, background: Background, thing: Body) -> tuple[str, int]:
    """What is seen at first sight; it does not say what happens."""
    rng = draws.stream("caption")
    number = int(rng.choice(instances(draws.split, len(TEMPLATES))))
    name = str(rng.choice(kind(thing.instance.kind).synonyms))
    words = {"thing": name, "room": room_words(background), "side": "left" if thing.x < 0.5 else "right"}
    return TEMPLATES[number].format(**words), number


# --------------------------------------------------------------------------------------------------------- baselines
def baselines(records: Sequence[dict[str, Any]]) -> dict[str, dict[str, float | None]]:
    """What can be had without looking or listening, over manifest records of this track.

    - moments: share of frames within `TOLERANCE_SECONDS` of a moment of interaction: the average precision of chance.
    - state_change: accuracy of always saying what most clips do, a change or none.
    - change_point: mean error in seconds of naming the clip's middle as the first change's time.
    - verbs: accuracy of chance and of the most frequent verb of the clips in which something is touched.
    - anticipation: chance, the most frequent next action, and as ceiling the Bayes-optimal guess from the last action.

    None where no clip counts, as where nothing changes in the few clips there are.
    """
    facts = [(record["duration_seconds"], record["truth"]) for record in records]
    changing = [truth for _, truth in facts if truth["action"]["next_action"]]
    near = [_near(seconds, truth) for seconds, truth in facts]
    middles = [
        abs(seconds / 2 - min(state["t_change"] for state in truth["states"]))
        for seconds, truth in facts
        if truth["action"]["next_action"]
    ]
    verbs = [truth["action"]["verb"] for _, truth in facts if truth["action"]["verb"]]
    table = chain()
    best = [table[NOUNS.index(truth["action"]["noun"])].max() for truth in changing]
    return {
        "moments": {"prevalence": _mean(near), "tolerance_seconds": TOLERANCE_SECONDS},
        "state_change": {"chance": 0.5, "majority": max(len(changing), len(facts) - len(changing)) / len(facts)},
        "change_point": {"mid_clip_error_seconds": _mean(middles)},
        "verbs": {"chance": 1 / (len(NOUNS) + 1), "majority": _majority(verbs)},
        "anticipation": {
            "chance": 1 / len(NOUNS),
            "majority": _majority([truth["action"]["next_action"] for truth in changing]),
            "ceiling": _mean(best),
        },
    }


def _near(seconds: float, truth: dict[str, Any]) -> float:
    """Share of a clip's frames within the tolerance of a moment of interaction."""
    count = len(truth["objects"][0]["boxes"])
    times = np.arange(count) * seconds / count
    moments = [t for state in truth["states"] for t in (*state["contact_times"], state["t_change"]) if t is not None]
    hits = [np.abs(times - moment) <= TOLERANCE_SECONDS for moment in moments]
    return float(np.any(hits, axis=0).mean()) if hits else 0.0


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None


def _majority(values: Sequence[str]) -> float | None:
    return round(float(np.unique(values, return_counts=True)[1].max() / len(values)), 4) if values else None
