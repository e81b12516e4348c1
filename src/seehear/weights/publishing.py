"""A folder to hand on: the network for this package and the hub, programs for everything else, or both."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from seehear.errors import UsageError
from seehear.weights.about import About
from seehear.weights.card import CardWords, card_of_run, figures_of_run
from seehear.weights.encoder import Encoder
from seehear.weights.entry_points import Entry
from seehear.weights.exported import write_programs
from seehear.weights.exported_example import Format
from seehear.weights.loading import load
from seehear.weights.model_folder import CARD, FIGURES, is_model, write_model
from seehear.weights.packaged import packaged_folder
from seehear.weights.whole_folder import whole_folder


@dataclass(frozen=True)
class Published:
    """What was written.

    Attributes:
        folder: where.
        about: whose network it is.
        files: their names and bytes.
        signature: of the programs; empty where there are none.
    """

    folder: Path
    about: About
    files: dict[str, int]
    signature: dict[str, Any] = field(default_factory=dict)


def publish(
    source: str,
    folder: str | Path,
    *,
    hub: bool = False,
    formats: Sequence[Format] = (),
    entries: Sequence[Entry] | None = None,
    words: CardWords | None = None,
) -> Published:
    """Write what `seehear.load` finds under `source` into a new folder, whole or not at all.

    Args:
        source: a run, a checkpoint, a packaged or saved model, a released file.
        folder: a new or empty one.
        hub: write configuration, weights, card and figures (`model_folder`).
        formats: of programs that run without this package (`exported`).
        entries: of them; by default all that the network has.
        words: for the card of a run: name, licence, what it knows, how it was made.

    Raises:
        UsageError: if there is nothing to write, words are given for what has a card, or the network does not fit.
        DataError: if a program does not agree with the network.
        StorageError: if the source is damaged, the folder holds something, or the disk does not take it.
    """
    if not hub and not formats:
        raise UsageError("nothing to write is named", expected="--pt2, --onnx, --hub or --webdataset")
    encoder = load(source)
    card, files = _papers(source, encoder, words)
    name = words.name if words and words.name else encoder.about.name
    knows = words.knows if words and words.knows else encoder.about.knows
    about = About(name, encoder.about.weights, knows, card)
    encoder.about = about
    with whole_folder(Path(folder)) as made:
        if hub:
            write_model(made, encoder.method, about, files)
        signature = write_programs(encoder, made, formats, entries) if formats else {}
        if not hub:
            (made / CARD).write_text(card, encoding="utf-8")
    sizes = {path.name: path.stat().st_size for path in sorted(Path(folder).iterdir())}
    return Published(Path(folder), about, sizes, signature)


def _papers(source: str, encoder: Encoder, words: CardWords | None) -> tuple[str, dict[str, str]]:
    """The card, and the texts beside it."""
    path = packaged_folder(source) or Path(source)
    run = path.is_dir() and not is_model(path)
    if not run and words is not None and words != CardWords(words.name):
        raise UsageError(
            f"{source} is no run: its card is handed on as it is",
            expected="a run, for a card with a licence and words of your own",
            cure=f"edit {CARD} in the new folder",
        )
    if run:
        own = replace(words or CardWords(""), name=words.name if words and words.name else encoder.about.name)
        figures = figures_of_run(path)
        return card_of_run(path, encoder.method, own), {FIGURES: figures} if figures else {}
    figures_file = path / FIGURES
    files = {FIGURES: figures_file.read_text(encoding="utf-8")} if figures_file.is_file() else {}
    return encoder.about.card, files
