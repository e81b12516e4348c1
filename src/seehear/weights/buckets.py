"""Work of equal shape, gathered from many batches and cut into passes; results find back to their clips.

Legend: B clips of an input batch, D width.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from seehear.contracts import Batch, Features, Modality


@dataclass(frozen=True)
class Vectors:
    """One modality of an input batch.

    Attributes:
        present: `[B]` bool, the clip has it.
        embedding: `[B, D]` float32 on the CPU, L2-normalised; zero where absent.
        pooled: `[B, D]` float32 on the CPU; zero where absent.
    """

    present: Tensor
    embedding: Tensor
    pooled: Tensor


@dataclass
class Place:
    """An input batch and the results that have come for it; `missing` counts the clips' pieces of work still to do."""

    batch: Batch
    missing: int = 0
    rows: dict[Modality, list[Tensor]] = field(default_factory=dict)
    found: dict[Modality, list[tuple[Tensor, Tensor]]] = field(default_factory=dict)

    def put(self, modality: Modality, rows: Tensor, embedding: Tensor, pooled: Tensor) -> None:
        """Take the vectors of some rows."""
        self.rows.setdefault(modality, []).append(rows)
        self.found.setdefault(modality, []).append((embedding, pooled))

    def vectors(self) -> dict[Modality, Vectors]:
        """Every modality that any clip has; waits for an accelerator."""
        return {modality: self._vectors(modality) for modality in self.rows}

    def _vectors(self, modality: Modality) -> Vectors:
        rows = torch.cat(self.rows[modality])
        present = torch.zeros(len(self.batch), dtype=torch.bool)
        present[rows] = True
        embedding, pooled = (
            torch.zeros(len(present), parts[0].shape[1]).index_copy_(0, rows, torch.cat(parts).float().cpu())
            for parts in zip(*self.found[modality], strict=True)
        )
        return Vectors(present, embedding, pooled)


@dataclass(frozen=True)
class Piece:
    """Some rows of an input batch, their fields, and what they are to become."""

    place: Place
    rows: Tensor
    fields: dict[str, Tensor]
    wanted: tuple[Modality, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def cut(self, count: int) -> tuple["Piece", "Piece"]:
        """The first `count` rows, and the rest."""
        first, rest = (
            Piece(self.place, self.rows[part], {n: v[part] for n, v in self.fields.items()}, self.wanted)
            for part in (slice(count), slice(count, None))
        )
        return first, rest


@dataclass
class Bucket:
    """Pieces of one shape, oldest first; `count` rows in all."""

    pieces: deque[Piece] = field(default_factory=deque)
    count: int = 0

    def add(self, piece: Piece) -> None:
        """Put a piece behind the others."""
        self.pieces.append(piece)
        self.count += len(piece)
        piece.place.missing += len(piece)

    def holds(self, place: Place) -> bool:
        """Some of a batch's work waits here."""
        return any(piece.place is place for piece in self.pieces)

    def take(self, most: int) -> list[Piece]:
        """The oldest rows, `most` at most; the last piece is cut where it holds more."""
        taken, left = [], min(most, self.count)
        while left:
            piece = self.pieces.popleft()
            if len(piece) > left:
                piece, rest = piece.cut(left)
                self.pieces.appendleft(rest)
            taken.append(piece)
            left -= len(piece)
            self.count -= len(piece)
        return taken


def joined(pieces: list[Piece], repeats: int) -> Batch:
    """One batch of all pieces, the last clip repeated `repeats` times more."""
    ids = _cat([piece.place.batch.sample_ids[piece.rows] for piece in pieces])
    positions = _cat([piece.place.batch.positions[piece.rows] for piece in pieces])
    fields = {name: _cat([piece.fields[name] for piece in pieces]) for name in pieces[0].fields}
    if repeats > 0:
        last = len(ids) - 1
        order = torch.arange(last + 1 + repeats, device=ids.device).clamp_(max=last)
        ids, positions = ids[order], positions[order]
        fields = {name: value[order] for name, value in fields.items()}
    return Batch(ids, positions, fields)


def hand_out(pieces: list[Piece], features: Mapping[str, Features]) -> None:
    """Give every piece the rows of a pass that are its own."""
    start = 0
    for piece in pieces:
        stop = start + len(piece)
        for modality in piece.wanted:
            if modality in features:
                one = features[modality]
                piece.place.put(modality, piece.rows, one.embedding[start:stop], one.pooled[start:stop])
        piece.place.missing -= len(piece)
        start = stop


def _cat(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts)
