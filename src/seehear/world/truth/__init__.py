"""The truth of a clip: its facts, fields, schema, arrays, and the features that must not tell."""
