"""Backbones: whole trunks, built from `seehear.layers`."""
