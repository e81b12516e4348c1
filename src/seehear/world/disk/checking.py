"""The check of a world that was written: whole, true to its schema, reproducible, and disjoint between its splits.

What a build draws so that splits share nothing is looked up here again in what it wrote. `train` and `test_iid` show
the same individuals on purpose, as do `test` and `test_ood`; every other pair of splits must not share one.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from seehear.configuration import from_dict
from seehear.errors import DataError, SeeHearError, StorageError
from seehear.world import VERSION
from seehear.world.disk import datasheet, manifest
from seehear.world.disk.audit import audit
from seehear.world.drawing.cells import TEST_SPLITS, cell
from seehear.world.drawing.draws import instance, size_at
from seehear.world.fingerprints import fingerprint
from seehear.world.levels import level, level_of
from seehear.world.presets import Preset
from seehear.world.sampling import scene
from seehear.world.scenes import Instance
from seehear.world.splits import instances
from seehear.world.truth.arrays import read_arrays
from seehear.world.truth.schema import check_truth

Record = dict[str, Any]
MOST_SAID = 10  # problems of one check that are written down
SAMPLE = 8  # clips of each split that are drawn again, and whose arrays are read


def audit_folder(root: str | Path) -> dict[str, Any]:
    """Check a finished world and audit it for shortcuts, without changing anything.

    Returns:
        A JSON-ready document: `fingerprint`, `preset`, `seed`, `clips`, `checks` (see `check_records`), `audit` (see
        `audit.audit`).

    Raises:
        StorageError: if the folder holds no finished world of this version.
    """
    root = Path(root)
    preset, seed, sheet = opened(root)
    records = _records(root, preset)
    checks = check_records(root, preset, seed, records)
    now = fingerprint(preset, seed)
    said = [] if now == sheet.get("fingerprint") else [f"{now} now, {sheet.get('fingerprint')} when it was built"]
    return {
        "root": str(root),
        "fingerprint": now,
        "preset": sheet["preset"],
        "seed": seed,
        "clips": len(records),
        "checks": _result(len(records), checks["problems"] | {"fingerprint": said}),
        "audit": audit(records),
    }


def check(root: str | Path) -> dict[str, Any]:
    """Check a finished world; see `check_records`.

    Raises:
        StorageError: if the folder holds no finished world of this version.
    """
    root = Path(root)
    preset, seed, _ = opened(root)
    return check_records(root, preset, seed, _records(root, preset))


def check_records(root: Path, preset: Preset, seed: int, records: list[Record]) -> dict[str, Any]:
    """Check the manifest records of a build and the files that they name.

    Returns:
        `status` ("passed" or "failed"), `clips`, and `problems`: per check a list of sentences, empty if it passed.
    """
    problems: dict[str, Iterable[str]] = {
        "files": _files(root, preset, records),
        "labels": _labels(preset, records),
        "truth": _truths(records),
    }
    if not problems["truth"]:  # what follows looks into it
        problems |= {
            "seeds": _seeds(preset, seed, records),
            "reproducible": _reproducible(preset, seed, records),
            "arrays": _arrays(root, records),
            "instances": _shared("instance", records, _family, _individuals),
            "rooms": _shared("room", records, _family, lambda item: [item["truth"]["room"]["background"]]),
            "noises": _shared("noise", records, _family, lambda item: [item["truth"]["noise"]["instance"]]),
            "templates": _shared("template", records, _family, lambda item: [item["truth"]["caption_template"]]),
            "balance": _balance(preset, records),
        }
        if preset.cells:
            problems["cells"] = _shared(
                "parameter cell", records, lambda split: split in TEST_SPLITS, _cells(preset, seed)
            )
    return _result(len(records), problems)


def refuse_failed(result: dict[str, Any]) -> None:
    """Raise on a failed check.

    Raises:
        DataError: with the first problem of each check.
    """
    if result["status"] == "failed":
        said = [f"{name}: {found[0]}" for name, found in result["problems"].items() if found]
        raise DataError(
            f"the world that was written does not hold ({'; '.join(said)})",
            expected="no problem",
            cause="files that were changed, or a fault of the generator",
            cure="delete the folder and build again; if it comes back, report it",
        )


def _result(clips: int, problems: Mapping[str, Iterable[str]]) -> dict[str, Any]:
    said = {name: list(islice(found, MOST_SAID)) for name, found in problems.items()}
    return {"status": "failed" if any(said.values()) else "passed", "clips": clips, "problems": said}


# ---------------------------------------------------------------------------------------------------- what was written
def opened(root: Path) -> tuple[Preset, int, dict[str, Any]]:
    """The preset, the seed and the datasheet of a finished world.

    Raises:
        StorageError: if the folder holds no world, one of another release, or one that is not finished.
    """
    sheet = datasheet.read(root)
    if sheet is None:
        raise StorageError(f"{root} holds no world", expected=f"a {datasheet.DATASHEET}", cure=f"seehear world {root}")
    datasheet.refuse_other_version(root, sheet)
    if not sheet.get("complete"):
        raise StorageError(f"the build of {root} has not ended", cure="start the same build again")
    return from_dict(Preset, sheet["preset"]), sheet["seed"], sheet


def _records(root: Path, preset: Preset) -> list[Record]:
    return [item for split in preset.clips for item in manifest.read(root / split / manifest.MANIFEST)]


def _files(root: Path, preset: Preset, records: list[Record]) -> Iterable[str]:
    for split, count in preset.clips.items():
        found = sum(item["split"] == split for item in records)
        if found != count:
            yield f"split {split} has {found} clips, {count} are expected"
    for item in records:
        if not manifest.whole(root / item["split"], item):
            yield f"a file of {item['id']} is missing, or has another size than recorded"


def _labels(preset: Preset, records: list[Record]) -> Iterable[str]:
    known = set(preset.labels)
    for item in records:
        if unknown := set(item["labels"]) - known:
            yield f"{item['id']} has the unknown labels {sorted(unknown)}"


def _refused(action: Callable[[], object]) -> str:
    """What an action says when it refuses, or ""."""
    try:
        action()
    except SeeHearError as error:
        return str(error)
    return ""


def _truths(records: list[Record]) -> list[str]:
    found = (
        _refused(lambda item=item: check_truth(item["truth"], strict=True, where=f"{item['id']}: truth"))
        for item in records
    )
    return [text for text in found if text]


def _arrays(root: Path, records: list[Record]) -> Iterable[str]:
    for item in _sampled(records):
        if "truth_arrays" in item:
            path = root / item["split"] / item["truth_arrays"]
            if text := _refused(lambda path=path, item=item: read_arrays(path, item["truth"])):
                yield f"{item['id']}: {text}"


# -------------------------------------------------------------------------------------------------- what it comes from
def _seeds(preset: Preset, seed: int, records: list[Record]) -> Iterable[str]:
    """Every stream is keyed by (seed, split, track, index): no two clips may share all of them."""
    seen: dict[Hashable, str] = {}
    for item in records:
        facts = item["truth"]
        if (facts["seed"], facts["track"]) != (seed, preset.track):
            yield f"{item['id']} is of seed {facts['seed']}, track {facts['track']}"
        for key in ((item["split"], facts["index"]), item["id"], item["scene_hash"]):
            if key in seen:
                yield f"{item['id']} and {seen[key]} are both {key}"
            seen[key] = item["id"]


def _sampled(records: list[Record]) -> Iterable[Record]:
    """Some records of each split, evenly spread."""
    for split in dict.fromkeys(item["split"] for item in records):
        own = [item for item in records if item["split"] == split]
        yield from own[:: max(1, len(own) // SAMPLE)]


def _reproducible(preset: Preset, seed: int, records: list[Record]) -> Iterable[str]:
    for item in _sampled(records):
        found = scene(preset, item["split"], item["truth"]["index"], seed).hash(VERSION)
        if found != item["scene_hash"]:
            yield f"{item['id']} has the scene hash {item['scene_hash']}, and {found} when it is drawn again"


# ------------------------------------------------------------------------------------------------- what splits share
def _family(split: str) -> int:
    """The same number for splits that may show the same individuals."""
    return instances(split, 100).start


def _shared(
    what: str,
    records: list[Record],
    family: Callable[[str], Hashable],
    keys: Callable[[Record], Iterable[Hashable]],
) -> Iterable[str]:
    """Problems where a key of one family's clip is found in another's; each pair of families is named once per key."""
    first: dict[Hashable, dict[Hashable, str]] = {}
    for item in records:
        own = family(item["split"])
        for key in keys(item):
            seen = first.setdefault(key, {})
            if own in seen:
                continue
            for other in seen.values():
                yield f"{what} {_said(key)} is in {item['id']} and in {other}"
            seen[own] = item["id"]


def _said(key: Hashable) -> str:
    return " ".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _individuals(item: Record) -> Iterable[tuple[str, int]]:
    for thing in (*item["truth"]["objects"], *item["truth"]["sources"]):
        yield thing["class"], thing["instance"]


def _cells(preset: Preset, seed: int) -> Callable[[Record], Iterable[Hashable]]:
    """Cells of every body, and of what is heard without its own body; individuals are drawn again by their numbers."""

    @cache
    def individual(name: str, number: int, spread: float) -> Instance:
        return instance(name, number, spread, seed)

    def cells(item: Record) -> Iterable[Hashable]:
        spread = level(level_of(preset.level, item["split"])).spread
        bodies = {(thing["class"], thing["instance"]) for thing in item["truth"]["objects"]}
        swapped = item["truth"].get("intervention", {}).get("name") == "swap"  # the sizes of what is heard are not here
        for thing in (*item["truth"]["objects"], *(() if swapped else item["truth"]["sources"])):
            name, number = thing["class"], thing["instance"]
            if "size" not in thing and (name, number) in bodies:
                continue
            size = thing["size"] if "size" in thing else size_at(name, thing["pitch_hz"])
            yield cell(individual(name, number, spread), size, thing["pitch_hz"])

    return cells


def _balance(preset: Preset, records: list[Record]) -> Iterable[str]:
    """Where every clip has one label, all are equally frequent; not so in a long tail or a stream."""
    for split in preset.clips:
        own = [item for item in records if item["split"] == split]
        single = [manifest.single_label(item) for item in own]
        tail = preset.long_tail > 1 and split in ("train", "test_iid")
        drift = preset.track == "S" and split == "train"
        if None in single or not single or tail or drift:
            continue
        counts = {name: single.count(name) for name in preset.classes}
        most, least = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
        if counts[most] - counts[least] > 1:
            yield (
                f"split {split} has {counts[most]} clips of {most} (such as {own[single.index(most)]['id']}) and "
                f"{counts[least]} of {least}"
            )
