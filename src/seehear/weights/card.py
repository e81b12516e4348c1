"""The model card: what a network is, in Markdown, made from what its run left on disk.

The header is the Hugging Face Hub's (licence, library, tags). Every figure stands beside its floors and ceiling.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seehear import __version__
from seehear.configuration import from_dict
from seehear.contracts import Figure, Method
from seehear.errors import StorageError, UsageError
from seehear.layers.inputs import InputConfig
from seehear.training.checkpoints import STATE, latest_checkpoint, open_checkpoint
from seehear.weights.model_folder import FIGURES
from seehear.weights.packaged import packaged_names
from seehear.weights.released.encoder import ReleasedEncoder
from seehear.weights.released.sources import SOURCES

EVALUATION = "evaluation.json"
NOT_STATED = "other"
HEADINGS = ("figure", "value", "95 % from", "chance", "untrained", "other floors", "ceiling", "protocol")


@dataclass(frozen=True)
class CardWords:
    """What a run does not know about itself.

    Attributes:
        name: of the model.
        knows: what kind of media it knows, where that is not everything; or "".
        licence: of the weights, as the hub spells it ("apache-2.0"); "other" where none is stated.
        made: Markdown on how it was made.
    """

    name: str
    knows: str = ""
    licence: str = NOT_STATED
    made: str = ""


def card_of_run(folder: Path, method: Method, words: CardWords) -> str:
    """The card of a run or one of its checkpoints: data, recipe, and figures where these weights were evaluated.

    Raises:
        StorageError: if the run's files are damaged.
    """
    run, state = _opened(folder)
    evaluation = _evaluation(run, state["step"])
    parts = [
        _header(words.licence, method.config.method),
        _what(words, method),
        _use(words.name, method),
        _inputs(method),
        _data(state, evaluation),
        _recipe(state, words.made),
        _figures(read_figures(run / FIGURES) if evaluation else []),
        _limits(words, evaluation),
    ]
    return "\n".join(parts)


def figures_of_run(folder: Path) -> str:
    """The text of the run's `figures.json`, where it is of these weights; or "".

    Raises:
        StorageError: if the run's files are damaged.
    """
    run, state = _opened(folder)
    return (run / FIGURES).read_text(encoding="utf-8") if _evaluation(run, state["step"]) else ""


def _opened(folder: Path) -> tuple[Path, dict[str, Any]]:
    """The run's folder and the state of its newest checkpoint, or of the one that is named."""
    at = folder if (folder / STATE).exists() else latest_checkpoint(folder)
    if at is None:
        raise StorageError(f"{folder} holds no whole checkpoint", expected="a run folder or checkpoint")
    return folder.absolute().parent.parent if at == folder else folder, open_checkpoint(at, verify=False).state


def _evaluation(run: Path, step: int) -> dict[str, Any]:
    """What the run's evaluation was of; empty where there was none, or of other weights."""
    found = _read(run / EVALUATION)
    return found if found.get("step") == step and (run / FIGURES).exists() else {}


def card_of_file(name: str, encoder: ReleasedEncoder) -> str:
    """The short card of a released file: what was read of it, and what its inputs must have gone through."""
    known = SOURCES.get(name)
    head = _header(NOT_STATED, encoder.layout)
    lines = [
        f"{head}\n# {name}",
        "",
        *(f"- {line}" for line in (*encoder.reading.lines()[:1], *encoder.preprocessing.lines())),
    ]
    licence = f"- licence: {known.licence}, {known.page}" if known else "- licence: its authors' (seehear weights list)"
    return "\n".join([*lines, licence, ""])


def plain_card(words: CardWords, method: Method) -> str:
    """The card of a network that no run is known of."""
    parts = (
        _header(words.licence, method.config.method),
        _what(words, method),
        _use(words.name, method),
        _inputs(method),
    )
    return "\n".join((*parts, _limits(words, {})))


def read_figures(path: Path) -> list[Figure]:
    """The figures that an evaluation left; none where there was none.

    Raises:
        StorageError: if the file is damaged.
    """
    found = _read(path)
    try:
        return [from_dict(Figure, values, "figure.") for values in found.get("figures", ())]
    except (TypeError, UsageError) as error:
        raise StorageError(
            f"{path} holds no figures ({error})", cause="a damaged file", cure="evaluate again"
        ) from error


def figure_rows(figures: Iterable[Figure]) -> list[tuple[str, ...]]:
    """One row of texts per figure, under `HEADINGS`."""
    return [
        (
            figure.name + ("" if figure.higher_is_better else " (lower is better)"),
            *map(_number, (figure.value, figure.lower_bound, figure.chance, figure.untrained)),
            ", ".join(f"{name} {_number(value)}" for name, value in figure.baselines.items()),
            _number(figure.ceiling),
            figure.note,
        )
        for figure in figures
    ]


# ------------------------------------------------------------------------------------------------------------ parts
def _header(licence: str, kind: str) -> str:
    tags = ("audio-visual", "feature-extraction", "self-supervised", kind.replace("_", "-"))
    return "\n".join(
        ["---", f"license: {licence}", "library_name: seehear", "tags:", *(f"- {t}" for t in tags), "---", ""]
    )


def _what(words: CardWords, method: Method) -> str:
    source = sys.modules[type(method).__module__].__doc__ or type(method).__name__
    count = sum(parameter.numel() for parameter in method.parameters())
    lines = [f"# {words.name}", "", *([words.knows, ""] if words.knows else []), source.splitlines()[0]]
    classes = getattr(method.config, "classes", ())
    named = [f"It names {len(classes)} classes: {', '.join(classes)}."] if classes else []
    return "\n".join([*lines, f"{count:,} parameters, saved by SeeHear {__version__}.", *named, ""])


def _use(name: str, method: Method) -> str:
    lines = ["## How to use it", "", "```python", "import seehear", ""]
    if name in packaged_names():
        lines.append(f'encoder = seehear.load("{name}")  # ships with the package')
    else:
        lines.append('encoder = seehear.load("FOLDER")  # where this card lies, or owner/name on the hub')
    if method.needs.audio is not None:
        lines.append("encoder.encode_audio(waveform, sample_rate).embedding  # [B, D] of [B, S], any rate")
    if method.needs.frames is not None:
        lines.append("encoder.encode_frames(pictures).embedding  # [B, D] of uint8 [B, 3, H, W], any size")
    return "\n".join([*lines, "```", ""])


def _inputs(method: Method) -> str:
    needs, inputs = method.needs, _inputs_of(method.config)
    lines = ["## Preprocessing", ""]
    if needs.audio is not None:
        lines.append(f"- sound: mono, 16 kHz, {needs.audio.seconds:g} s: longer is cut, shorter zero-padded")
    if needs.audio is not None and inputs is not None:
        lines.append(
            f"- Kaldi log-mel of it: {inputs.mel_bins} bins, {inputs.frame_length_ms:g} ms windows every "
            f"{inputs.frame_shift_ms:g} ms, {inputs.audio_frames} frames, then (x {-inputs.audio_mean:+g}) / "
            f"{inputs.audio_deviation:g}"
        )
    if needs.frames is not None:
        frames = needs.frames
        how = "squashed" if frames.fit == "squash" else "resized and cropped at the centre"
        lines.append(f"- pictures: {frames.count} of RGB, {how} to {frames.height} x {frames.width}, ImageNet's mean")
    return "\n".join([*lines, "- all of it happens inside the encoder", ""])


def _inputs_of(config: Any) -> InputConfig | None:
    found = getattr(getattr(config, "encoder", config), "inputs", None)
    return found if isinstance(found, InputConfig) else None


def _data(state: Mapping[str, Any], evaluation: Mapping[str, Any]) -> str:
    data = state["config"]["data"]
    tables = ", ".join(_last(table) for table in (data["table"], *data.get("more_tables", ())))
    lines = ["## Data", "", f"- trained on split `{data['train_split']}` of {tables}"]
    if state.get("data_fingerprint"):
        lines.append(f"- fingerprint of the training clips: `{state['data_fingerprint']}`")
    if evaluation:
        lines.append(
            f"- measured on split `{evaluation['split']}` of {_last(evaluation['table'])}; hash of its clips' names: "
            f"`{evaluation['clips']}`"
        )
    start = state["config"].get("init") or state["config"]["method"].get("start")
    if start:
        lines.append(f"- started from {_last(start)}, whose licence holds for these weights too")
    return "\n".join([*lines, ""])


def _recipe(state: Mapping[str, Any], made: str) -> str:
    config = json.loads(json.dumps(state["config"]))
    data = config["data"]
    config["data"] = data | {"table": _last(data["table"]), "more_tables": [_last(t) for t in data["more_tables"]]}
    for part in (config, config["method"]):
        for name in ("init", "start"):
            if part.get(name):
                part[name] = _last(part[name])
    lines = ["## Recipe", "", *([made.strip(), ""] if made.strip() else [])]
    steps = f"{state['step']:,} of {config['training']['steps']:,} steps of {data['global_batch']} clips."
    text = json.dumps(config, indent=1)
    folded = ["<details><summary>the whole configuration</summary>", "", "```json", text, "```", "</details>", ""]
    return "\n".join([*lines, steps, "", *folded])


def _figures(figures: list[Figure]) -> str:
    lines = ["## Figures", ""]
    if not figures:
        return "\n".join([*lines, "It was not measured.", ""])
    rows = [HEADINGS, ("---",) * len(HEADINGS), *figure_rows(figures)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows), ""])


def _limits(words: CardWords, evaluation: Mapping[str, Any]) -> str:
    lines = ["## Limits", "", *([f"- {words.knows}"] if words.knows else [])]
    lines.append("- figures hold for clips like those that were measured on; hold out clips of your own to know")
    if evaluation and not evaluation.get("held_out", True):
        lines.append("- the clips measured on are among those it was trained on: the figures are too good")
    if words.licence == NOT_STATED:
        lines.append("- no licence is stated for these weights: ask whoever published them")
    return "\n".join([*lines, ""])


def _last(path: str) -> str:
    """A path or LAYOUT:FILE without folders, which are nobody's business."""
    layout, colon, file = path.rpartition(":") if "://" not in path else ("", "", path)
    return f"{layout}{colon}{file.rstrip('/').rpartition('/')[2]}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _read(path: Path) -> dict[str, Any]:
    """A JSON object; empty where there is no file."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("no object of named values")
        return found
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise _damaged(f"{path} cannot be read ({error})") from error


def _damaged(found: str) -> StorageError:
    return StorageError(found, cause="a damaged file", cure="evaluate again")
