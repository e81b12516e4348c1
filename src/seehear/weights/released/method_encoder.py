"""A released encoder that is one of this project's methods, with class heads where its file has them.

Legend: B clips, T frames of a clip, N tokens, D width, C classes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor, nn

from seehear.contracts import Branch
from seehear.errors import UsageError
from seehear.layers.class_head import ClassHead
from seehear.layers.inputs import whole_patches
from seehear.layers.patches import cut_picture, cut_spectrogram
from seehear.methods.avsiam import AVSiam
from seehear.methods.cav_mae import CavMae
from seehear.weights.released.encoder import Preprocessing, ReleasedEncoder
from seehear.weights.released.reading import Reading
from seehear.weights.released.shapes import refuse_mask, refuse_shape

Pool = Literal["parts", "whole"]


class MethodEncoder(ReleasedEncoder):
    """See `ReleasedEncoder`.

    Args:
        method: with the released weights.
        reading: what became of the file's keys.
        preprocessing: what the inputs must have gone through.
        heads: of "audio", "image" and "audiovisual" features, as far as the file has them.
        pool: of both modalities together: the means of sound and picture side by side (AVSiam), or the mean of all
            tokens (CAV-MAE).
        without_fusion: logits of both modalities are the mean of those of each (AVSiam's Huge).
    """

    def __init__(
        self,
        method: AVSiam | CavMae,
        reading: Reading,
        preprocessing: Preprocessing,
        heads: Mapping[str, ClassHead] | None = None,
        pool: Pool = "parts",
        without_fusion: bool = False,
    ):
        inputs = method.config.inputs
        size = (inputs.image_height, inputs.image_width)
        super().__init__(reading, replace(preprocessing, audio_frames=inputs.audio_frames, image_size=size))
        self.method, self.pool, self.without_fusion = method, pool, without_fusion
        self.heads = nn.ModuleDict(dict(heads or {}))

    def forward_features(self, spectrogram: Tensor | None = None, image: Tensor | None = None) -> dict[str, Tensor]:
        """Unmasked tokens `[B, N, D]` after the final norms: "audio" of `spectrogram [B, 1024, 128]`, "image" of
        `image [B, 3, H, W]`, both normalised.

        Raises:
            UsageError: if nothing is given, or a shape does not fit.
        """
        features = self.method.features(
            self.method.branches(self._patches(spectrogram, image)), only=("audio", "image")
        )
        return {modality: found.tokens for modality, found in features.items()}

    def classify(self, spectrogram: Tensor | None = None, image: Tensor | None = None) -> dict[str, Tensor]:
        """Logits `[B, C]` of what is given: "audio", "image", and of both "audiovisual".

        Of several frames `image [B, T, 3, H, W]`, "image" and "audiovisual" are `[B, T, C]`: sound joined with each.

        Raises:
            UsageError: if the file has no class heads, nothing is given, or a shape does not fit.
        """
        if not self.heads:
            raise UsageError(f"{self.layout} weights have no class heads", expected="a fine-tuned layout")
        frames = image.shape[1] if image is not None and image.ndim == 5 else None
        flat = image.flatten(0, 1) if image is not None and frames is not None else image
        branches = self.method.branches(self._patches(spectrogram, flat))
        logits = self._single(branches)
        if len(branches) == 2:
            sound = branches["audio"]
            each = Branch(sound.tokens.repeat_interleave(frames, dim=0)) if frames is not None else sound
            logits["audiovisual"] = self._both({"audio": each, "image": branches["image"]}, logits, frames)
        if frames is not None:
            logits |= {m: logits[m].unflatten(0, (-1, frames)) for m in ("image", "audiovisual") if m in logits}
        return logits

    def reconstruction_losses(
        self, spectrogram: Tensor, image: Tensor, audio_mask: Tensor, image_mask: Tensor
    ) -> dict[str, Tensor]:
        """Scalars "audio" and "image": the mean squared error over removed patches (mask `[B, N]`, 1 = removed).

        Raises:
            UsageError: if the file has no decoder, or a shape or mask does not fit.
        """
        if not self.can_reconstruct:
            raise UsageError(
                f"these {self.layout} weights have no decoder", expected="a pretraining file with decoder_* keys"
            )
        patches, masks = self._patches(spectrogram, image), {"audio": audio_mask, "image": image_mask}
        for modality, mask in masks.items():
            refuse_mask(modality, mask, patches[modality])
        removed = {m: (mask != 0).sum(dim=1) for m, mask in masks.items()}
        totals = {m: torch.zeros(()) for m in masks}
        for rows in _alike(list(removed.values())):
            own = {m: values[rows] for m, values in patches.items()}
            losses = self.method.reconstruction_losses(own, {m: mask[rows] for m, mask in masks.items()})
            for m in masks:
                totals[m] = totals[m] + losses[f"reconstruction_{m}"] * (removed[m][rows].sum() / removed[m].sum())
        return totals

    @property
    def can_reconstruct(self) -> bool:
        """The file has a decoder."""
        return self.method.decoder is not None

    def _patches(self, spectrogram: Tensor | None, image: Tensor | None) -> dict[str, Tensor]:
        inputs, patch = self.method.config.inputs, self.method.config.patch
        found = {}
        if spectrogram is not None:
            refuse_shape("spectrogram", spectrogram, (inputs.audio_frames, inputs.mel_bins))
            found["audio"] = cut_spectrogram(whole_patches(spectrogram, inputs, patch), patch)
        if image is not None:
            refuse_shape("image", image, (3, inputs.image_height, inputs.image_width))
            found["image"] = cut_picture(image, patch)
        if not found:
            raise UsageError("neither a spectrogram nor an image is given", expected="one of them, or both")
        return found

    def _single(self, branches: Mapping[str, Branch]) -> dict[str, Tensor]:
        features = self.method.features(branches, only=("audio", "image"))
        return {m: self.heads[m](found.pooled) for m, found in features.items()}

    def _both(self, branches: Mapping[str, Branch], logits: Mapping[str, Tensor], frames: int | None) -> Tensor:
        """Logits of sound and picture together, one row for each frame."""
        if self.without_fusion:
            sound = logits["audio"] if frames is None else logits["audio"].repeat_interleave(frames, dim=0)
            return (sound + logits["image"]) / 2
        fused = self.method.features(branches, only=("audiovisual",))["audiovisual"]
        if self.pool == "whole":
            return self.heads["audiovisual"](fused.pooled)
        lengths = [branches[m].tokens.shape[1] for m in ("audio", "image")]
        means = [part.mean(dim=1) for part in fused.tokens.split(lengths, dim=1)]
        return self.heads["audiovisual"](torch.cat(means, dim=-1))


def _alike(counts: Sequence[Tensor]) -> list[Tensor]:
    """Rows of clips with equal `counts [B]`, so that their visible tokens fill one tensor."""
    _, kinds = torch.stack(list(counts), dim=1).unique(dim=0, return_inverse=True)
    return [(kinds == kind).nonzero()[:, 0] for kind in range(int(kinds.max()) + 1)]


def class_head(weight: Tensor, bias: Tensor, norm_weight: Tensor, norm_bias: Tensor) -> ClassHead:
    """A head with these weights."""
    head = ClassHead(weight.shape[1], weight.shape[0])
    head.load_state_dict(
        {"norm.weight": norm_weight, "norm.bias": norm_bias, "linear.weight": weight, "linear.bias": bias}
    )
    return head
