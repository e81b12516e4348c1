"""Painting: from the bodies of a scene to pictures and masks."""
