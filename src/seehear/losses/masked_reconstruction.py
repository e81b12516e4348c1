"""Masked reconstruction: mean squared error of hidden patches only (MAE, arXiv 2111.06377; AVSiam's second pass).

    L = sum over hidden patches of mean((drawn - target)^2 over the patch's values) / number of hidden patches

Targets are the normalised input values as fed to the network (AVSiam's released code), or, with `per_patch`, each patch
standardised by its own mean and variance (MAE's variant).

Legend: B batch, m hidden patches, V values of a patch.
"""

from torch import Tensor
from torch.nn import functional as F


def masked_reconstruction(drawn: Tensor, target: Tensor, per_patch: bool = False) -> Tensor:
    """The loss, a scalar, of `drawn [B, m, V]` against `target [B, m, V]`: every patch given is a hidden one."""
    if per_patch:
        variance, mean = target.var(dim=-1, keepdim=True), target.mean(dim=-1, keepdim=True)
        target = (target - mean) / (variance + 1e-6).sqrt()
    return F.mse_loss(drawn, target)
