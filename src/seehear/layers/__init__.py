"""Layers: pure nn parts that several trunks and methods share. One idea per file; torch only."""
