"""Class heads of several streams of tokens whose logits are averaged.

Source: DeepAVFusion's classifier (arXiv 2312.01017, released code): picture, sound and fusion tokens are each averaged
over their tokens and have a linear head of their own; what counts is the mean of the three logits. A linear probe puts
a batch norm without weights before each head; fine-tuning starts each bias at the log odds of the class's frequency.

Legend: B batch, N tokens, D width, C classes.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from seehear.errors import UsageError

TOGETHER = "mean"


class StreamHeads(nn.Module):
    """See the file's header.

    Args:
        widths: D of each stream by name.
        classes: C.
        probe: put the batch norm before each head.
        frequency: share of the clips that have each class, `[C]`, where biases are to start from it.

    Raises:
        UsageError: if a stream is called "mean", or frequencies are not C numbers from 0 to 1.
    """

    def __init__(
        self,
        widths: Mapping[str, int],
        classes: int,
        probe: bool = False,
        frequency: Sequence[float] | Tensor | None = None,
    ):
        super().__init__()
        if not widths or TOGETHER in widths:
            raise UsageError(f"heads of the streams {', '.join(widths) or 'none'}", expected=f"some, none {TOGETHER!r}")
        self.norms = nn.ModuleDict({m: nn.BatchNorm1d(d, affine=False) for m, d in widths.items()} if probe else {})
        heads = {m: nn.Linear(d, classes) for m, d in widths.items()}
        if frequency is not None:
            odds = log_odds(torch.as_tensor(frequency), classes)
            for head in heads.values():
                head.bias.data.copy_(odds)
        self.heads = nn.ModuleDict(heads)

    def forward(self, streams: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Logits `[B, C]` of each stream's tokens `[B, N, D]`, and "mean", their mean.

        Raises:
            UsageError: if the streams are others than the heads.
        """
        if set(streams) != set(self.heads):
            raise UsageError(f"streams {', '.join(streams)}", expected=", ".join(self.heads))
        found = {}
        for name, head in self.heads.items():
            pooled = streams[name].mean(dim=1)
            found[name] = head(self.norms[name](pooled) if self.norms else pooled)
        return found | {TOGETHER: torch.stack(list(found.values())).mean(dim=0)}


def log_odds(frequency: Tensor, classes: int, least: float = 1e-4) -> Tensor:
    """`log(f / (1 - f))` of frequencies `[C]`, held within `least` of 0 and 1.

    Raises:
        UsageError: if they are not C numbers from 0 to 1.
    """
    if frequency.shape != (classes,) or not bool(((frequency >= 0) & (frequency <= 1)).all()):
        raise UsageError(f"frequencies {tuple(frequency.shape)}", expected=f"{classes} numbers from 0 to 1")
    return frequency.double().clamp(least, 1 - least).logit().float()
