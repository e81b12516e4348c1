"""Initialisation of transformers trained from scratch: Xavier-uniform matrices, zero biases (MAE, arXiv 2111.06377)."""

from torch import nn


def initialise(module: nn.Module) -> None:
    """Initialise every linear layer and norm below `module` in place."""
    for part in module.modules():
        if isinstance(part, nn.Linear):
            nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.LayerNorm):
            nn.init.ones_(part.weight)
            nn.init.zeros_(part.bias)
