"""Speeds, memory and growth against fair rivals; see docs/performance.md."""
