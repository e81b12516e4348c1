"""Released weights: one adapter per published layout, from its names to this project's."""
