"""Arms of `benchmarks/scale.py`: ranks, checkpoints, growth."""
