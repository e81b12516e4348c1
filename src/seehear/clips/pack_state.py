"""How far a packing is: written with every commit of the table, so that rows and state can never disagree.

A packing that was killed leaves whole commits only; the last one says which files are done.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from seehear.errors import StorageError

STATE_KEY = "seehear.pack"
SKIPS_KEY = "seehear.skips"


@dataclass(frozen=True)
class Skip:
    """A file or clip that was not packed.

    Attributes:
        file: its name within the folder.
        reason: a `SkipReason`, under which it is counted.
        detail: what was found.
    """

    file: str
    reason: str
    detail: str


@dataclass(frozen=True)
class PackState:
    """Progress of one packing.

    Attributes:
        settings: what was asked for; a resume with other settings is refused.
        next_file: file to go on with; those before it are finished.
        next_clip: clip of that file to go on with.
        clips: rows in the table.
        skipped: files and clips skipped.
        content: chained hash of all rows, in their order.
        first_version: version of the table that this packing's first commit made.
        complete: nothing is left to do.
    """

    settings: dict[str, Any]
    next_file: int = 0
    next_clip: int = 0
    clips: int = 0
    skipped: int = 0
    content: str = ""
    first_version: int = 1
    complete: bool = False

    def to_json(self) -> str:
        """The state as JSON text."""
        return json.dumps(asdict(self), sort_keys=True)


def state_of(dataset: Any) -> PackState | None:
    """The state of the packing that made a table, at the version that is open; None if there is none."""
    transaction = dataset.read_transaction(dataset.version)
    text = transaction.transaction_properties.get(STATE_KEY) or dataset.config().get(STATE_KEY)
    if text is None:
        return None
    try:
        return PackState(**json.loads(text))
    except (json.JSONDecodeError, TypeError) as error:
        raise StorageError(
            f"{dataset.uri}: {STATE_KEY} cannot be understood ({error})", cure="pack again with --overwrite"
        ) from error


def skips_of(dataset: Any, state: PackState) -> list[Skip]:
    """The files and clips skipped so far, from all commits of the packing."""
    skips: list[Skip] = []
    for version in range(state.first_version, dataset.version + 1):
        properties = dataset.read_transaction(version).transaction_properties
        skips += _parsed(properties.get(SKIPS_KEY))
    return skips + (_parsed(dataset.config().get(SKIPS_KEY)) if state.complete else [])


def _parsed(text: str | None) -> list[Skip]:
    return [Skip(**skip) for skip in json.loads(text or "[]")]
