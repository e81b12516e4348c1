"""Losses: one objective per file, each with its formula."""
