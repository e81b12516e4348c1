"""`seehear weights`: released weights: where they lie, fetching them, what a file holds, and converting it."""

import importlib
from collections.abc import Callable
from typing import Any

from seehear.cli.console import Console
from seehear.configuration import unknown_name
from seehear.errors import UsageError

VERBS = {
    "list": "the released files that are known, with licence and link",
    "fetch": "one of them, checked, into a folder",
    "inspect": "what a file holds: layout, sizes, keys used, unused and missing, normalisation",
    "convert": "a file under this project's parameter names, with all that is known about it",
}
EXAMPLES = (
    "seehear weights list",
    "seehear weights fetch avsiam-base weights",
    "seehear weights inspect weights/avsiam-base.pth",
    "seehear weights convert weights/avsiam-base.pth avsiam.safetensors",
)


def run(arguments: list[str], console: Console) -> dict[str, Any]:
    """Open the file of the verb that is named first."""
    if not arguments:
        raise UsageError("no verb is named", expected=f"one of {', '.join(VERBS)}", cure="seehear weights --help")
    verb, *rest = arguments
    if verb in ("-h", "--help", "help"):
        console.line(usage())
        return {"verbs": VERBS}
    if verb not in VERBS:
        raise unknown_name(f"verb {verb!r} of seehear weights", verb, VERBS)
    call: Callable[[list[str], Console], dict[str, Any]] = importlib.import_module(f"seehear.cli.weights_{verb}").run
    return call(rest, console)


def usage() -> str:
    """What `seehear weights --help` prints."""
    width = max(map(len, VERBS))
    verbs = [f"  seehear weights {name:{width}} --help   {said}" for name, said in VERBS.items()]
    examples = [f"  {example}" for example in EXAMPLES]
    title = "Released weights of AVSiam, CAV-MAE, timm, DINOv2, MAE and AudioMAE as encoders."
    return "\n".join(["usage: seehear weights VERB ...", "", title, "", *verbs, "", "examples:", *examples])
