"""The two rivals of the pretraining step: R0, shaped like the published code, and R1, good plain PyTorch."""
