"""`seehear world audit`: check a built world, look for shortcuts, and train references against its exact ceilings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from seehear.cli.console import Console
from seehear.cli.options import Positional, named, parse
from seehear.errors import DataError

EXAMPLES = (
    "seehear world audit data/base",
    "seehear world audit data/base --ceilings",
    "seehear world audit data/tiny --json | jq .audit.gated",
)


@dataclass(frozen=True)
class Options:
    """Check a finished world and look for shortcuts.

    Checked: files, truth against its schema, splits without anything in common, clips drawn again. Audited: whether
    colour, loudness, lead-in, place or number of bodies tell the class. Nothing is changed, but --ceilings leaves
    ceilings.json.
    """

    root: Annotated[Positional[Path], named("ROOT")]
    """the folder of a finished world"""
    ceilings: bool = False
    """also train a supervised reference per modality, and hold it against the best that the clips allow"""
    minutes: float = 20.0
    """the time that --ceilings may take"""


def run(arguments: list[str], console: Console) -> dict[str, Any]:
    """Audit and say what was found; a failed check or audit fails the command.

    Raises:
        DataError: naming what does not hold.
    """
    options = parse(Options, arguments, "world audit", EXAMPLES)
    from seehear.world.disk import checking
    from seehear.world.disk.audit import refuse_failed

    document = checking.audit_folder(options.root)
    _show(document, console)
    checking.refuse_failed(document["checks"])
    refuse_failed(document["audit"])
    if options.ceilings:
        from seehear.runs.ceilings import ceilings

        document["ceilings"] = ceilings(options.root, minutes=options.minutes, tell=console.note)
        _show_ceilings(document["ceilings"], options.root, console)
    return document


def _show_ceilings(found: dict[str, Any], root: Path, console: Console) -> None:
    """What the references reach, as a table.

    Raises:
        DataError: if one of them stays below what is asked.
    """
    asked, modalities = found["share_asked"], found["modalities"]
    rows = [(name, own["ceiling"], own["accuracy"], own["share"]) for name, own in modalities.items()]
    columns = ("modality", "ceiling", "reference", f"share ({asked:.0%} is asked)")
    console.table(f"ceilings: {'passed' if found['passed'] else 'failed'}", columns, rows)
    if not found["passed"]:
        low = ", ".join(f"{name} {own['share']:.2f}" for name, own in modalities.items() if not own["passed"])
        raise DataError(
            f"the references reach too little of their ceilings: {low}",
            expected=f"{asked:.0%} at least",
            cause="classes that cannot be told, or too little time on this machine",
            cure=f"see {root / 'ceilings.json'}, or give more --minutes",
        )


def _show(document: dict[str, Any], console: Console) -> None:
    console.line(f"{document['clips']} clips in {document['root']}, world {document['fingerprint']}")
    rows = [(name, "; ".join(found) or "passed") for name, found in document["checks"]["problems"].items()]
    console.table(f"checks: {document['checks']['status']}", ("check", "found"), rows)
    audit = document["audit"]
    if "gated" not in audit:
        console.line(f"shortcut audit: {audit['status']} ({audit['reason']})")
        return
    told = [(name, value["accuracy"], value.get("limit", audit["limit"])) for name, value in audit["gated"].items()]
    told += [(name, value["accuracy"], None) for name, value in audit["reported"].items()]
    columns = ("feature", "tells the class", "limit")
    console.table(f"shortcut audit: {audit['status']}, chance {audit['chance']}", columns, told)
