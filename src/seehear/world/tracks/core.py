"""Track A: things that sound, one labelled class per clip or several.

In multi-label clips every class that sounds is a label.

**Ambiguous clips make fusion necessary.** A preset's `ambiguous` share p of its clips leaves two equally likely
classes to the sound alone, and another share p, of other clips, to the picture alone:

- to the sound: a second class sounds as loud and as near, unseen; the label is the one whose body is seen to sound;
- to the picture: a second body moves as if it sounded; the label is the one that is heard.

A clip whose only source is off screen leaves every class that is not seen to the picture; twice the level's share of
those is taken off the pictures' p, so that the ceiling of either modality stays near 1 - p / 2. `facts` holds
`ambiguous_in` and, per modality, the classes left (`candidates`), from which ceilings are exact.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from seehear.world.disk.manifest import single_label
from seehear.world.drawing.draws import Draws
from seehear.world.drawing.tagging import class_of, shuffled, tags
from seehear.world.levels import Level
from seehear.world.scenes import Body, Mime, Scene, Source


def sample(draws: Draws) -> Scene:
    """A clip of track A."""
    names, sounding, off_screen = _cast(draws)
    names = _with_twin(draws, names, sounding, draws.knobs)
    if draws.preset.ambiguous:
        return _ambiguous(draws, names, sounding, off_screen)
    bodies = draws.bodies(names)
    sources = draws.sources(bodies, sounding, off_screen)
    heard = tuple(dict.fromkeys(source.instance.kind for source in sources))
    return draws.scene(bodies, sources, **tags(draws.stream("tags"), draws.preset, draws.split, heard))


def _cast(draws: Draws) -> tuple[list[str], int, str | None]:
    """Names of the visible bodies (sounding ones first), how many of them sound, and an off-screen class or None."""
    preset, knobs, rng = draws.preset, draws.knobs, draws.stream("cast")
    order, sounding = shuffled(rng, preset, draws.split, draws.seed), 1
    if preset.labelling == "single":
        first = class_of(preset, draws.split, draws.index, draws.seed)
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


def _with_twin(draws: Draws, names: list[str], sounding: int, knobs: Level) -> list[str]:
    """The cast, in a share of the clips with a silent body of a sounding body's class in the last place."""
    rng = draws.stream("twin")
    if rng.uniform() >= knobs.twin_share or not sounding:
        return names
    return [*(names[:-1] if len(names) > sounding else names), names[int(rng.integers(sounding))]]


def _ambiguous(draws: Draws, names: list[str], sounding: int, off_screen: str | None) -> Scene:
    """A single-label clip that may be ambiguous to one modality."""
    label = off_screen or names[0]
    modality, other = _ambiguity(draws, label, off_screen is not None)
    if modality == "picture" and other not in names:
        names = [names[0], other, *names[2:]]
    bodies = draws.bodies(names)
    sources = draws.sources(bodies, sounding, off_screen)
    candidates = {"sound": [label], "picture": [label]}
    acting: dict[str, Any] = {}
    if modality == "sound":
        sources = (*sources, _masker(draws, other, len(bodies)))
        candidates["sound"] = sorted([label, other])
    elif modality == "picture":
        acting["mimes"] = (_mime(draws, bodies, names.index(other)),)
        candidates["picture"] = sorted([label, other])
    elif off_screen is not None:
        modality = "picture"
        candidates["picture"] = sorted(set(draws.preset.classes) - set(names))
    marked = tags(draws.stream("tags"), draws.preset, draws.split, (label,))
    facts = {"label_single": label, "ambiguous_in": modality, "candidates": candidates}
    return draws.scene(bodies, sources, **marked | {"facts": marked.get("facts", {}) | facts}, **acting)


def _ambiguity(draws: Draws, label: str, unseen: bool) -> tuple[str | None, str]:
    """Which modality alone cannot tell a clip, and the class that it confuses with the label.

    The shares are of all clips, those with an unseen source included, which are left as they are.
    """
    rng = draws.stream("ambiguous")
    share, off_screen = draws.preset.ambiguous, draws.knobs.off_screen_share
    place = rng.uniform() * (1 - off_screen)
    other = str(rng.choice([name for name in draws.preset.classes if name != label]))
    if unseen:
        return None, other
    if place < share:
        return "sound", other
    return ("picture" if place < share + max(0.0, share - 2 * off_screen) else None), other


def _masker(draws: Draws, name: str, count: int) -> Source:
    """A class that is heard as if one more body of the picture sounded, but stands outside it."""
    unseen = draws.body("masker", name, count, unseen=True)
    own = draws.child_seed("source", "masker")
    return Source(unseen.instance, None, unseen.pitch_hz, 0.0, own, near=True)


def _mime(draws: Draws, bodies: tuple[Body, ...], number: int) -> Mime:
    """A silent body that moves as if it sounded."""
    return Mime(number, tuple(draws.rhythm(bodies[number].instance, -1, "events", "mime")))


# ----------------------------------------------------------------------------------------------------------- baselines
def baselines(records: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Chance and trivial guesses over manifest records of this track, among the labels that occur; all are exact.

    Returns:
        "tagging": `map` of answering with each label's prevalence, which is their mean, `auc`, `d_prime`, `prevalence`.
        "retrieval", one clip to find among all: `r@1`, `r@5`, `r@10`, `gallery`.
        Where every clip has one label, also "classification": `chance`, `majority` (always the most frequent), and in
        worlds with ambiguous clips the best possible accuracy from each modality, `ceilings`; and in "retrieval"
        `class_p@1`, the chance that a clip drawn at random is of the same class.
    """
    count = len(records)
    carried = Counter(label for item in records for label in item["labels"])
    prevalence = {label: round(carried[label] / count, 4) for label in sorted(carried)}
    mean = sum(carried.values()) / (count * len(carried))
    found: dict[str, dict[str, Any]] = {
        "tagging": {"map": round(mean, 4), "auc": 0.5, "d_prime": 0.0, "prevalence": prevalence},
        "retrieval": {f"r@{k}": round(min(1.0, k / count), 6) for k in (1, 5, 10)} | {"gallery": count},
    }
    single = [single_label(item) for item in records]
    if None not in single:
        frequent = Counter(single).values()
        guessed: dict[str, Any] = {
            "chance": round(1 / len(frequent), 4),
            "majority": round(max(frequent) / count, 4),
        }
        if all("candidates" in item["truth"] for item in records):
            guessed["ceilings"] = _ceilings([item["truth"]["candidates"] for item in records])
        found["classification"] = guessed
        found["retrieval"]["class_p@1"] = round(sum(n * n for n in frequent) / count**2, 4)
    return found


def _ceilings(left: list[dict[str, list[str]]]) -> dict[str, float]:
    """The best accuracy from each modality alone, where it must guess among the classes left to it, and from both."""
    alone = {name: sum(1 / len(own[name]) for own in left) / len(left) for name in ("sound", "picture")}
    return {name: round(value, 4) for name, value in alone.items()} | {"both": 1.0}
