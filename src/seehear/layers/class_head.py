"""Class head: LayerNorm, then a linear layer (CAV-MAE's and AVSiam's fine-tuning code).

Legend: D width, C classes.
"""

from torch import Tensor, nn


class ClassHead(nn.Module):
    """Logits `[..., C]` of pooled features `[..., D]`.

    Args:
        width: D.
        classes: C.
        eps: of the LayerNorm.
    """

    def __init__(self, width: int, classes: int, eps: float = 1e-5):
        super().__init__()
        self.norm = nn.LayerNorm(width, eps=eps)
        self.linear = nn.Linear(width, classes)

    def forward(self, pooled: Tensor) -> Tensor:
        """`[..., D]` to `[..., C]`."""
        return self.linear(self.norm(pooled))
