"""Which clips may be found: by label, split, file, time, or any condition on the table's columns.

Every part becomes one SQL condition, which Lance evaluates (DataFusion's dialect), whether an index is used or not.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from seehear.clips.lance_files import storage_failures
from seehear.errors import StorageError, UsageError
from seehear.search.embedded_table import EmbeddedTable

_HEAVY = ("frames", "audio", "video", "truth_arrays")


@dataclass(frozen=True)
class Filter:
    """Conditions that a clip must all meet.

    Attributes:
        labels: at least one of these class names.
        splits: one of these splits.
        source: a pattern for the file's name, with * for any text and ? for any letter.
        from_seconds: the clip ends after this second of its file.
        to_seconds: the clip begins before this second of its file.
        where: an SQL condition on columns, such as "duration_seconds > 2 AND caption LIKE '%dog%'".
    """

    labels: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    source: str = ""
    from_seconds: float | None = None
    to_seconds: float | None = None
    where: str = ""

    def __bool__(self) -> bool:
        return bool(self.sql)

    @cached_property
    def sql(self) -> str:
        """All conditions as one; "" where there are none."""
        parts = []
        if self.labels:
            parts.append(f"array_has_any(labels, [{_quoted(self.labels)}])")
        if self.splits:
            parts.append(f"split IN ({_quoted(self.splits)})")
        if self.source:
            parts.append(f"source LIKE {_like(self.source)}")
        if self.from_seconds is not None:
            start = float(self.from_seconds)
            parts.append(f"(start_seconds >= {start!r} OR start_seconds + duration_seconds > {start!r})")
        if self.to_seconds is not None:
            parts.append(f"start_seconds < {float(self.to_seconds)!r}")
        if self.where:
            parts.append(f"({self.where})")
        return " AND ".join(parts)

    def rows(self, table: EmbeddedTable) -> NDArray[np.bool_]:
        """Which clips meet it, bool `[N]`.

        Raises:
            UsageError: for a label or split that the table has not, or a condition that cannot be understood.
            StorageError: if the table cannot be read.
        """
        self.check(table)
        result = np.ones(len(table), bool)
        if self.sql:
            with storage_failures(table.uri):
                met = table.dataset.to_table(columns=[], filter=self.sql, with_row_address=True)["_rowaddr"]
            result = np.isin(table.addresses, met.to_numpy())
        return result

    def check(self, table: EmbeddedTable) -> None:
        """Refuse what the table has not.

        Raises:
            UsageError: naming it, and what there is.
        """
        for what, asked, known in (
            ("label", self.labels, table.label_names),
            ("split", self.splits, tuple(sorted(set(table.splits)))),
        ):
            for name in asked:
                if name not in known:
                    raise _unknown(what, name, known, table.uri)
        for name in ("from_seconds", "to_seconds"):
            value = getattr(self, name)
            if value is not None and not np.isfinite(value):
                raise UsageError(f"{name} is {value}", expected="a number of seconds")
        if self.where:
            self._check_where(table)

    def _check_where(self, table: EmbeddedTable) -> None:
        columns = [f"{field.name} ({field.type})" for field in table.dataset.schema if _is_light(field.name, table)]
        reason = "" if _closed(self.where) else "a bracket or quote is not closed"
        try:
            with storage_failures(table.uri):
                condition = f"({self.where})"
                table.dataset.scanner(columns=[], filter=condition, with_row_address=True).explain_plan()
        except StorageError as error:
            reason = reason or _reason(error.found, table.uri)
        if reason:
            raise UsageError(
                f"the condition {self.where!r} cannot be understood ({reason})",
                expected=f"SQL on the columns {', '.join(columns)}",
                cause="" if "'" in self.where else "text stands in single quotes",
                cure="--where \"duration_seconds > 2 AND caption LIKE '%dog%'\"",
            )


def _closed(condition: str) -> bool:
    """Brackets and quotes are paired, so that it stays one condition beside others."""
    depth, quote = 0, ""
    for letter in condition:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"`":
            quote = letter
        else:
            depth += (letter == "(") - (letter == ")")
        if depth < 0:
            return False
    return depth == 0 and not quote


def _is_light(name: str, table: EmbeddedTable) -> bool:
    return name not in _HEAVY and name not in {column.column for column in table.embedded}


def _reason(found: str, uri: str) -> str:
    """What Lance says, without the table's name and its own list of columns."""
    return found.removeprefix(f"{uri}: ").split(". Valid fields")[0].split("LanceError")[-1][:200]


def _unknown(what: str, name: str, known: tuple[str, ...], uri: str) -> UsageError:
    import difflib

    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    some = ", ".join(near or known[:10])
    return UsageError(
        f"{uri} has no {what} {name!r}",
        expected=f"one of its {len(known)} {what}s, such as {some}" if known else f"a table with {what}s",
        cure=near[0] if near else "",
    )


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join("'" + name.replace("'", "''") + "'" for name in names)


def _like(pattern: str) -> str:
    """A pattern with * and ? as SQL's LIKE."""
    for letter in "\\%_":
        pattern = pattern.replace(letter, "\\" + letter)
    return _quoted((pattern.replace("*", "%").replace("?", "_"),))
