"""Drawing lots: what the tracks share when they cast a scene."""
