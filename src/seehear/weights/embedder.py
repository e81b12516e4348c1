"""Embedding any number of clips: dense forward passes whatever batches come in, results in the order of the input.

Sound and picture of a clip are pieces of work of their own. Pieces of equal shape wait in one bucket until they fill a
forward pass, whichever batch or file they came from; clips that lack a modality cost nothing. Sound shorter than the
method reads is zero-padded to that length (as `AudioNeed` has it), so clips of all lengths up to it share a bucket.

A pass that cannot be filled is filled with repeats of its last clip: all passes of a bucket then have one shape, and
in fp32 a clip gets the same bits whatever comes before, beside or after it. Passes of another size differ by rounding
(at most 1e-6 in fp32).

Legend: B clips of an input batch, D width.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from statistics import median
from typing import Literal

import torch
from torch import Tensor, nn

from seehear.contracts import Batch, Method, Modality
from seehear.errors import UsageError
from seehear.weights.buckets import Bucket, Piece, Place, Vectors, hand_out, joined
from seehear.weights.precision import Forward, Precision, Trial, device_of, quickest, try_precisions

FIELDS: dict[Modality, tuple[str, ...]] = {
    "audio": ("waveform", "waveform_samples"),
    "image": ("frames",),
    "audiovisual": ("waveform", "waveform_samples", "frames"),
}
FLAGS: dict[Modality, tuple[str, ...]] = {
    "audio": ("has_audio",),
    "image": ("has_image",),
    "audiovisual": ("has_audio", "has_image"),
}
MOST_CLIPS = 64
CPU_WIDTH = 3072
"""Clips of a pass times width on the CPU: larger passes leave its caches (a ViT-Base is as quick with 4 clips as with
8), smaller ones are bound by calls (at width 64: 506 clips/s by 4, 818 by 40, 833 by 80)."""
PASSES_HELD = 8

AnyPrecision = Precision | Literal["auto"]
Buckets = dict[tuple, Bucket]


class Embedder:
    """Embeds batches of any size, in their order.

    Args:
        method: encodes. In fp32 it runs itself, and is afterwards in the mode it was in; else a copy (see `Forward`).
        precision: of linear layers. "auto" tries all on clips of the first batch and takes the quickest that keeps a
            cosine of 0.999 to fp32 (`trials` then says what was measured): which it is depends on the machine.
        clips: of one forward pass; by default 64 on an accelerator, and 64 to 4 on the CPU, fewer the wider it is.
        hold: clips that may wait for others of their shape; by default 8 passes' worth.
        fill: repeat clips to fill short passes; False saves their cost and gives up equal bits.
        modalities: what to embed; with "audiovisual", clips that have both go through one pass for all of it.

    Raises:
        UsageError: for fewer than one clip, or a precision that this device has not.
    """

    def __init__(
        self,
        method: Method,
        *,
        precision: AnyPrecision = "fp32",
        clips: int | None = None,
        hold: int | None = None,
        fill: bool = True,
        modalities: tuple[Modality, ...] = ("audio", "image"),
    ):
        self.method, self.modalities, self.fill = method, modalities, fill
        self.on_cpu = device_of(method).type == "cpu"
        self.clips = (_clips_on_cpu(method) if self.on_cpu else MOST_CLIPS) if clips is None else clips
        self.hold = PASSES_HELD * self.clips if hold is None else hold
        if self.clips < 1 or self.hold < 1:
            raise UsageError(f"{self.clips} clips per pass, {self.hold} held", expected="at least 1 of both")
        self.trials: list[Trial] = []
        self.forward = None if precision == "auto" else Forward(method, precision)

    def reads(self, batch: Batch, modality: Modality) -> bool:
        """The method reads this modality, and the batch carries its fields."""
        needs = self.method.needs
        read = {"waveform": needs.audio, "waveform_samples": needs.audio, "frames": needs.frames}
        return all(read[name] is not None and name in batch for name in FIELDS[modality])

    @property
    def precision(self) -> Precision | None:
        """The precision in use; None while "auto" has seen no clip."""
        return None if self.forward is None else self.forward.precision

    def __call__(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, dict[Modality, Vectors]]]:
        """Each batch with its vectors: of those `modalities` that the method reads and at least one clip has."""
        buckets: Buckets = {}
        waiting: deque[Place] = deque()
        for batch in batches:
            waiting.append(place := Place(batch))
            for bucket in self._sorted_in(place, buckets):
                while bucket.count >= self.clips:
                    self._pass(bucket)
            for ready in self._released(waiting, buckets):
                yield ready.batch, ready.vectors()
        for bucket in buckets.values():
            while bucket.count:
                self._pass(bucket)
        for ready in waiting:
            yield ready.batch, ready.vectors()

    def _released(self, waiting: "deque[Place]", buckets: Buckets) -> Iterator[Place]:
        """Takes what is finished off the front; first runs what the oldest lacks, where too many wait with it."""
        kept = 0 if self.on_cpu else 1  # an accelerator works on it while the one before is read
        while True:
            while len(waiting) > kept and not waiting[0].missing:
                yield waiting.popleft()
            late = next((place for place in waiting if place.missing), None)
            if late is None or sum(len(place.batch) for place in waiting) - len(waiting[-1].batch) <= self.hold:
                return
            self._pass(next(bucket for bucket in buckets.values() if bucket.holds(late)))

    def _sorted_in(self, place: Place, buckets: Buckets) -> list[Bucket]:
        """The buckets that a batch's work was put into."""
        touched = []
        for piece in self._pieces(place):
            shapes = tuple((name, *value.shape[1:]) for name, value in piece.fields.items())
            touched.append(buckets.setdefault((piece.wanted, *shapes), Bucket()))
            touched[-1].add(piece)
        return touched

    def _pieces(self, place: Place) -> list[Piece]:
        """A batch's work: both modalities apart, or together for clips that have both where that is wanted."""
        wanted: list[tuple[Modality, tuple[Modality, ...]]] = [(m, (m,)) for m in self.modalities if m != "audiovisual"]
        together = torch.zeros(len(place.batch), dtype=torch.bool)
        pieces = []
        if "audiovisual" in self.modalities:
            together = self._present(place.batch, "audiovisual")
            pieces.append(self._piece(place, "audiovisual", self.modalities, together))
        pieces += [
            self._piece(place, modality, outputs, self._present(place.batch, modality) & ~together)
            for modality, outputs in wanted
        ]
        return [piece for piece in pieces if len(piece)]

    def _piece(self, place: Place, modality: Modality, wanted: tuple[Modality, ...], present: Tensor) -> Piece:
        rows, batch = present.nonzero()[:, 0], place.batch
        names = FIELDS[modality] if len(rows) else ()
        fields = {name: batch[name] if len(rows) == len(batch) else batch[name][rows] for name in names}
        if "waveform" in fields:
            fields["waveform"] = self._padded(fields["waveform"])
        return Piece(place, rows, fields, wanted)

    def _present(self, batch: Batch, modality: Modality) -> Tensor:
        """`[B]` bool: clips that have it, none if the method does not read it."""
        if not self.reads(batch, modality):
            return torch.zeros(len(batch), dtype=torch.bool)
        present = torch.ones(len(batch), dtype=torch.bool)
        for flag in FLAGS[modality]:
            present &= batch[flag].cpu() if flag in batch else True
        return present

    def _padded(self, waveform: Tensor) -> Tensor:
        need = self.method.needs.audio
        missing = 0 if need is None else round(need.seconds * need.sample_rate) - waveform.shape[1]
        return torch.nn.functional.pad(waveform, (0, missing)) if missing > 0 else waveform

    def _pass(self, bucket: Bucket) -> None:
        """One forward pass over the oldest work of a bucket."""
        pieces = bucket.take(self.clips)
        batch = joined(pieces, self.clips - sum(map(len, pieces)) if self.fill else 0)
        if self.forward is None:
            self.trials = try_precisions(self.method, [batch])
            self.forward = Forward(self.method, quickest(self.trials))
        hand_out(pieces, self.forward(batch))


def _clips_on_cpu(method: Method) -> int:
    """By the width that linear layers usually have."""
    widths = [min(m.in_features, m.out_features) for m in method.modules() if isinstance(m, nn.Linear)]
    return min(MOST_CLIPS, max(4, round(CPU_WIDTH / median(widths)))) if widths else MOST_CLIPS
