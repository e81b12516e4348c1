"""Embedding a collection: from a folder, a manifest or a table to a table with a model's columns of vectors.

Vectors gather in a dataset of their own beside the table (`gathering`), and enter the table in one commit when all
are there. After a kill at any instant the same call goes on; nothing is done twice, and a table has all of a model's
vectors or none of them.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from seehear.clips.lance_files import is_uri, open_dataset, storage_failures, text_of
from seehear.clips.pack_state import Skip
from seehear.clips.table import TableClips
from seehear.contracts import Modality, Needs
from seehear.errors import StorageError, UsageError
from seehear.search.alone import alone
from seehear.search.collecting import Packing, table_of
from seehear.search.columns import Embedded, embedded_in
from seehear.search.embed_report import EmbedProgress, EmbedReport
from seehear.search.embedding_rows import WINDOWS, RowEmbedder, Windows, columns_read
from seehear.search.gathering import Gathered, Work, identity_of_rows, remove
from seehear.search.offered import offered
from seehear.weights import Encoder, Precision

Engine = Literal["local", "ray"]
ENGINES: tuple[Engine, ...] = ("local", "ray")
_COMMIT_ROWS, _COMMIT_SECONDS = 2000, 20.0
_PART = 32  # rows read and decoded at once
_THREADS = 2
_JOINED = 1.5  # times what is heard: so long are clips at most that packing made of a stretch and its tail
_TOLERATED = 0.1  # seconds by which clips may be longer than what is heard, before a note says so


@dataclass(frozen=True)
class Settings:
    """How a collection is embedded.

    Attributes:
        name: of the model in the columns; "" for its own.
        model: what `seehear.load` finds it by; "" for its name.
        precision: of linear layers.
        windows: what is heard of clips longer than the model hears: "first" or "mean" (`embedding_rows`).
        modalities: what to embed; () for all that the model offers.
        engine: "local" in this process, "ray" on Ray Data.
        overwrite: replace vectors of other weights or settings under the same name.
    """

    name: str = ""
    model: str = ""
    precision: Precision = "fp32"
    windows: Windows = "first"
    modalities: tuple[Modality, ...] = ()
    engine: Engine = "local"
    overwrite: bool = False

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise UsageError(f"engine is {self.engine!r}", expected=" or ".join(ENGINES))
        if self.windows not in WINDOWS:
            raise UsageError(f"windows is {self.windows!r}", expected=" or ".join(WINDOWS))


def embed(
    encoder: Encoder,
    data: str | Path,
    settings: Settings | None = None,
    *,
    packing: Packing | None = None,
    storage_options: dict[str, str] | None = None,
    progress: Callable[[EmbedProgress], None] | None = None,
    tell: Callable[[str], None] | None = None,
) -> EmbedReport:
    """Embed every clip of a collection into the columns of its table, or go on with what was stopped.

    Args:
        encoder: the model (`seehear.load`).
        data: a clip table (path or object-store URI), or a folder, manifest or tars, which are packed first.
        settings: how to embed.
        packing: how to pack what is no table yet; by default into clips of the length that the model hears.
        storage_options: settings of the object store, passed on to Lance.
        progress: is told how far it is.
        tell: is told what people should know at once.

    Raises:
        UsageError: if the table has other vectors under this name, or an embedding was begun with other settings.
        StorageError: if the table is missing, damaged or was written by another process meanwhile, or the disk is
            full; run the same again: it goes on.
        DataError: if nothing can be embedded.
    """
    settings = settings or Settings()
    table, packed = table_of(data, packing or Packing(), encoder.method.needs, storage_options)
    began = time.monotonic()
    job = _Job(encoder, text_of(table), settings, storage_options, progress, tell or (lambda text: None))
    lock = Path(job.beside + ".lock")
    with nullcontext() if is_uri(job.uri) else alone(lock, f"embedding {job.uri} with {job.slug}"):
        report = job.run(began)
    return replace(report, packed=packed)


class _Job:
    """One embedding of one table."""

    def __init__(
        self,
        encoder: Encoder,
        uri: str,
        settings: Settings,
        storage_options: dict[str, str] | None,
        progress: Callable[[EmbedProgress], None] | None,
        tell: Callable[[str], None],
    ):
        self.encoder, self.uri, self.settings = encoder, uri.rstrip("/"), settings
        self.storage_options, self.progress, self.tell = storage_options, progress, tell
        self.columns = offered(encoder, settings.name, settings.model, settings.precision, settings.windows)
        self.columns = _chosen(self.columns, settings.modalities)
        self.slug = self.columns[0].slug
        self.beside = f"{self.uri}.{self.slug}"
        self.needs = Needs(encoder.method.needs.audio, encoder.method.needs.frames)

    def run(self, began: float) -> EmbedReport:
        """Embed what is left, and report."""
        clips = TableClips(self.uri, storage_options=self.storage_options)
        self._refuse_nothing_to_embed(clips)
        dataset = self._open()
        there = [column for column in embedded_in(dataset.schema) if column.slug == self.slug]
        if there and self._has_all(there):
            remove(self.beside + ".vectors", self.storage_options)
            return self._report(dataset, clips, began, 0, 0, self._earlier_skips())
        work = Work(identity_of_rows(dataset), self.columns)
        gathered = Gathered(self.beside + ".vectors", work, self.settings.overwrite, self.storage_options)
        if gathered.anew:
            self.tell(f"begins anew: {gathered.anew}")
        done = gathered.done(len(clips))
        left = np.flatnonzero(~done)
        if self.progress is not None:
            self.progress(EmbedProgress(int(done.sum()), len(clips), 0))
        if len(left):
            self._fill(gathered, dataset, left, len(clips))
        if not gathered.done(len(clips)).all():
            raise StorageError(f"{gathered.uri} lacks clips", cause="a damaged disk", cure="run the same again")
        skips = tuple(gathered.skips(clips.names))
        dataset = self._into_table(gathered)
        report = self._report(dataset, clips, began, len(left), int(done.sum()), skips)
        report.write()  # before the vectors that know the skips are gone
        gathered.remove()
        return report

    # ------------------------------------------------------------------------------------------ the table as it is
    def _open(self) -> Any:
        dataset = open_dataset(self.uri, storage_options=self.storage_options)
        if dataset is None:
            raise StorageError(f"there is no table at {self.uri}", cure=f"seehear pack FOLDER {self.uri}")
        return dataset

    def _refuse_nothing_to_embed(self, clips: TableClips) -> None:
        heard, seen = self.needs.audio is not None, self.needs.frames is not None
        if not (heard and clips.has_audio.any()) and not (seen and clips.has_image.any()):
            raise UsageError(
                f"{self.uri} has nothing that {self.encoder.about.name} reads",
                expected=" or ".join(
                    ["sound"] * (self.needs.audio is not None) + ["pictures"] * bool(self.needs.frames)
                ),
                cause="a table that was packed for one modality only",
                cure="pack it with --modality any, or take another model",
            )

    def _has_all(self, there: Sequence[Embedded]) -> bool:
        """Whether the table has these very vectors.

        Raises:
            UsageError: if it has others under this name, and they are not to be replaced.
        """
        differing = Work("", self.columns).differs(Work("", tuple(there)))
        if not differing:
            return True
        if self.settings.overwrite:
            return False
        weights = any(column.weights != self.columns[0].weights for column in there)
        raise UsageError(
            f"{self.uri} has vectors of {'another model' if weights else self.slug} in "
            f"{', '.join(c.column for c in there)}: {'; '.join(differing)}",
            expected="the same weights and settings, or a new name",
            cure="--overwrite to replace them, or --name NAME to keep both",
        )

    def _earlier_skips(self) -> tuple[Skip, ...]:
        """What the run that made the vectors skipped, as listed beside the table; nothing where the list is gone."""
        path = self._skip_list()
        try:
            return () if path is None else tuple(Skip(**skip) for skip in json.loads(path.read_text())["skips"])
        except (OSError, ValueError, KeyError, TypeError):
            return ()

    def _skip_list(self) -> Path | None:
        return None if is_uri(self.uri) else Path(self.beside + ".skipped.json")

    # --------------------------------------------------------------------------------------------------- embedding
    def _fill(self, gathered: Gathered, dataset: Any, left: np.ndarray, total: int) -> None:
        waiting: list[pa.Table] = []
        done, skipped, last = total - len(left), 0, time.monotonic()
        try:
            for part in self._rows(gathered, dataset, left, total):
                waiting.append(part)
                done += len(part)
                skipped += len(part) - part["reason"].null_count
                late = time.monotonic() - last >= _COMMIT_SECONDS
                if late or sum(map(len, waiting)) >= _COMMIT_ROWS:
                    gathered.add(pa.concat_tables(waiting))
                    waiting, last = [], time.monotonic()
                if self.progress is not None:
                    self.progress(EmbedProgress(done, total, skipped))
        except KeyboardInterrupt:
            if waiting:
                gathered.add(pa.concat_tables(waiting))  # what is ready need not be done again
            raise
        if waiting:
            gathered.add(pa.concat_tables(waiting))

    def _rows(self, gathered: Gathered, dataset: Any, left: np.ndarray, total: int) -> Iterator[pa.Table]:
        """Rows of vectors from the engine."""
        method, how = self.encoder.method, (self.settings.precision, self.settings.windows)
        if self.settings.engine == "local":
            yield from RowEmbedder(method, gathered.work, *how, _THREADS)(self._parts(dataset, left))
            return
        from seehear.search.ray_engine import rows_of

        yield from rows_of(method, gathered.work, dataset, how, left, total, self.storage_options)

    def _parts(self, dataset: Any, left: np.ndarray) -> Iterator[tuple[np.ndarray, pa.Table]]:
        columns = columns_read(self.needs)
        for start in range(0, len(left), _PART):
            rows = left[start : start + _PART]
            with storage_failures(self.uri):
                yield rows, dataset.take(rows.tolist(), columns=columns)

    # ---------------------------------------------------------------------------------------------- into the table
    def _into_table(self, gathered: Gathered) -> Any:
        """All columns in one commit; those that they replace go first.

        Raises:
            StorageError: if the table was written meanwhile; the vectors are kept.
        """
        dataset = self._open()
        self._refuse_other_rows(dataset, gathered)
        replaced = [column.column for column in embedded_in(dataset.schema) if column.slug == self.slug]
        from lance.commit import CommitConflictError

        with storage_failures(self.uri):
            try:
                if replaced:
                    dataset.drop_columns(replaced)
                dataset.add_columns(gathered.in_order())
            except CommitConflictError as error:
                raise self._written_meanwhile() from error
        return self._open()

    def _refuse_other_rows(self, dataset: Any, gathered: Gathered) -> None:
        if identity_of_rows(dataset) != gathered.work.rows:
            raise self._written_meanwhile()

    def _written_meanwhile(self) -> StorageError:
        return StorageError(
            f"{self.uri} was written by another process while it was embedded",
            expected="the rows that were there at the beginning",
            cause="a second `seehear pack` or another writer",
            cure="let it end, then run the same command again; the table is as that process left it",
        )

    # ------------------------------------------------------------------------------------------------- the report
    def _report(
        self, dataset: Any, clips: TableClips, began: float, embedded: int, resumed: int, skips: tuple
    ) -> EmbedReport:
        heard = self.columns[0].seconds
        longer = int((clips.has_audio & (clips.duration_seconds > heard + _TOLERATED)).sum()) if heard else 0
        longest = float(clips.duration_seconds.max(initial=0.0))
        with storage_failures(self.uri):
            vectors: dict[str, int] = {
                c.modality: int(dataset.count_rows(filter=f"{c.column} IS NOT NULL")) for c in self.columns
            }
        skipped = {skip.file for skip in skips}
        sounding = sum(
            1 for name, there in zip(clips.names, clips.has_audio, strict=True) if there and name not in skipped
        )
        silent = sounding - vectors["audio"] if "audio" in vectors else 0
        return EmbedReport(
            table=self.uri,
            version=int(dataset.version),
            model=self.columns[0].model,
            weights=self.columns[0].weights,
            precision=self.settings.precision,
            windows=self.settings.windows,
            columns={column.modality: column.column for column in self.columns},
            vectors=vectors,
            clips=len(clips),
            embedded=embedded,
            resumed=resumed,
            already=embedded == 0 and resumed == 0,
            longer=longer,
            silent=silent,
            heard_seconds=heard,
            skips=skips,
            skip_list=self._skip_list(),
            seconds=time.monotonic() - began,
            notes=_notes(longer, longest, silent, heard, self.settings.windows, self.encoder),
        )


def _chosen(columns: tuple[Embedded, ...], modalities: tuple[Modality, ...]) -> tuple[Embedded, ...]:
    missing = set(modalities) - {column.modality for column in columns}
    if missing:
        raise UsageError(
            f"the model gives no {' or '.join(sorted(missing))} vectors",
            expected=", ".join(column.modality for column in columns),
        )
    return tuple(column for column in columns if not modalities or column.modality in modalities)


def _notes(
    longer: int, longest: float, silent: int, heard: float, windows: Windows, encoder: Encoder
) -> tuple[str, ...]:
    notes = [encoder.about.knows] if encoder.about.knows else []
    if longer and windows == "first":
        apart = f", and packing with --clip-seconds {heard:g} gives every window its own row"
        notes.append(
            f"{longer} clips are longer than the {heard:g} s that the model hears: of each the first {heard:g} s were "
            f"heard; --windows mean hears all{apart if longest > _JOINED * heard else ''}"
        )
    if silent:
        notes.append(f"{silent} clips are digital silence where the model hears them: they have no vector of sound")
    return tuple(notes)
