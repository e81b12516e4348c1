"""Options of a verb: from a typed dataclass through tyro, with mistakes as one `UsageError` line.

tyro draws its errors as boxes of several lines and leaves the process; here the box is caught and read out as one
line, so that every mistake has the same form and `--json` holds it too.

A verb that lets people change a recipe's fields nests the run configuration with `Overrides` and passes the recipe's
values as `default`: `--optimizer.learning-rate 1e-3` then works without a prefix.

    @dataclass(frozen=True)
    class Options:
        folder: Positional[Path]
        config: Overrides[RunConfig]

    parse(Options, words, "pretrain", EXAMPLES, default=Options(MISSING, recipe))
"""

import contextlib
import inspect
import io
import re
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

import tyro

from seehear.errors import UsageError

T = TypeVar("T")
Positional = tyro.conf.Positional
Overrides = Annotated[T, tyro.conf.arg(name="")]
MISSING: Any = tyro.MISSING


def named(name: str) -> Any:
    """How the help calls a positional option: `folder: Annotated[Positional[Path], named("FOLDER")]`."""
    return tyro.conf.arg(metavar=name)


def described(kind: Any, text: str) -> Any:
    """An option of type `kind` with a help text, where no docstring under a field can give it."""
    return Annotated[kind, tyro.conf.arg(help=text)]


_FRAME = re.compile(r"\x1b\[[0-9;]*m|^[╭│╰][─ ]?|[│╮╯]$")
_RULE = re.compile(r"^[─-]+$")  # with hyphens where stdout is not UTF-8


def parse(kind: type[T], arguments: Sequence[str], verb: str, examples: Sequence[str], *, default: Any = None) -> T:
    """Options of `kind` from the words after the verb.

    Args:
        kind: a dataclass; its docstring is the help's text, the docstring under a field the option's.
        arguments: the words.
        verb: name of the verb.
        examples: whole commands that the help shows.
        default: an instance of `kind` with other defaults than its class's (`MISSING` where there is none).

    Raises:
        UsageError: on unknown, missing or wrong options.
        SystemExit: with status 0, after printing the help that was asked for.
    """
    box = io.StringIO()
    description = f"{inspect.getdoc(kind)}\n\nexamples:\n" + "\n".join(f"  {example}" for example in examples)
    settings = {"prog": f"seehear {verb}", "description": description, "config": (tyro.conf.FlagCreatePairsOff,)}
    if default is not None:
        settings["default"] = default
    try:
        with contextlib.redirect_stderr(box):
            return tyro.cli(kind, args=list(arguments), **settings)
    except SystemExit as leaving:
        if not leaving.code:
            raise
    raise _read_out(box.getvalue(), verb)


def _read_out(box: str, verb: str) -> UsageError:
    """tyro's box as one error: what is above its first rule was found, what is between the rules was expected."""
    sections: list[list[str]] = [[]]
    for line in box.splitlines()[1:-1]:
        text = _FRAME.sub("", _FRAME.sub("", line.strip())).strip()
        if _RULE.match(text):
            sections.append([])
        else:
            sections[-1].append(text)
    found, *others = [" ".join(section).rstrip(":. ") for section in sections if any(section)]
    found = re.sub(r" \(required\)$", "", re.sub(r"^Missing from [^:]+:", "missing:", found)).replace(
        " (required)", ";"
    )
    hints = [hint for hint in others if not hint.startswith("For full help")]
    expected = "; ".join(hint.removeprefix("Argument helptext: ") for hint in hints)
    near = re.search(r"Perhaps you meant: (\S+)", expected)
    cure = f"{near[1]} (seehear {verb} --help lists all)" if near else f"seehear {verb} --help"
    return UsageError(found[:1].lower() + found[1:], expected="" if near else expected, cure=cure)
