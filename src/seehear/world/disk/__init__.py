"""A world on disk: building, checking, auditing and exporting it."""
