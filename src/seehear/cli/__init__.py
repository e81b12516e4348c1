"""The command line: `seehear VERB ...`, one thin file per verb.

A verb is a file in this folder with `EXAMPLES` and `run(arguments, console)`, plus its line in `VERBS`. `run` parses
its options (`seehear.cli.options.parse`), calls the rooms, shows tables and progress through the console and returns
one JSON-ready document, which `--json` prints (or None, where it has printed it itself). Rooms are imported inside
`run`: `seehear --help` loads no torch.

Exit statuses: 0 done, 1 a bug, 2 usage, 3 bad data, 4 diverged, 5 storage, 6 lost peer, 75 requeue, 130 Ctrl-C.
"""

import importlib
import sys
from collections.abc import Sequence

from seehear import __version__
from seehear.cli.console import Console
from seehear.cli.failure import guard
from seehear.configuration import unknown_name
from seehear.errors import UsageError

VERBS = {
    "demo": "from nothing, or your own videos, to a trained network on a page, in ten minutes",
    "world": "generate the procedural audio-visual world as mp4 files with exact ground truth",
    "dataset": "what of a published data set is on this disk, as a manifest to pack",
    "pack": "cut a folder of media into a table of clips to train on",
    "pretrain": "train a recipe's method on a table or a folder of media",
    "finetune": "teach a pretrained network the classes of labelled clips",
    "evaluate": "every figure of a run, with floors and ceilings beside it",
    "probe": "what a few labels make of a run's features",
    "report": "the self-contained page of an evaluated run",
    "embed": "add a model's vectors to a table of clips, or to a folder",
    "index": "make search quick in large tables, and measure what it still finds",
    "search": "the clips that go with a sound, a picture or a clip; near-duplicates",
    "serve": "a page on which an embedded table is searched by sound, picture or clip",
    "localize": "a clip with a heat map over time of where its sound seems to come from",
    "separate": "the sounds of a clip, or of two clips mixed, each by its picture",
    "label": "names for the clips of a table that have none, from a few that have",
    "export": "a network as ONNX or torch.export programs or for the hub; a table as WebDataset tars",
    "weights": "released weights: where they lie, what a file holds, fetching and converting it",
    "doctor": "say what this machine has, and what a folder of media holds",
}

_USAGE = """\
usage: seehear VERB ... [--json]

Teach one network to see and hear from unlabelled video.

{verbs}

  seehear VERB --help   options and examples of a verb
  seehear --version     the version
  --json                with any verb: one JSON document on stdout, for machines

exit statuses: 0 done, 2 usage, 3 bad data, 4 diverged, 5 storage, 6 lost peer, 75 saved and to be started again
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Args:
        arguments: what follows `seehear` on the command line; by default the process's own arguments.
    """
    words, machine = _take_json(list(sys.argv[1:] if arguments is None else arguments))
    console = Console(machine=machine)
    return guard(lambda: _dispatch(words, console), console)


def usage() -> str:
    """What `seehear --help` prints."""
    width = max(map(len, VERBS))
    return _USAGE.format(verbs="\n".join(f"  {verb:{width}}  {summary}" for verb, summary in VERBS.items()))


def _dispatch(words: list[str], console: Console) -> None:
    if not words:
        raise UsageError("no verb is named", expected=f"one of {', '.join(VERBS)}", cure="seehear --help")
    verb, *rest = words
    if verb in ("-h", "--help", "help"):
        console.line(usage().rstrip())
        console.document({"verbs": VERBS})
    elif verb == "--version":
        console.line(f"seehear {__version__}")
        console.document({"version": __version__})
    elif verb in VERBS:
        document = importlib.import_module(f"seehear.cli.{verb}").run(rest, console)
        if document is not None:
            console.document(document)
    else:
        raise unknown_name(f"verb {verb!r}", verb, VERBS)


def _take_json(words: list[str]) -> tuple[list[str], bool]:
    """Take `--json` out of the words before a bare `--`, wherever it stands."""
    end = words.index("--") if "--" in words else len(words)
    return [word for word in words[:end] if word != "--json"] + words[end:], "--json" in words[:end]
