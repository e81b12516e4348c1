"""Sound models: one idea per file. Each turns a source and its events into a dry waveform at 16 kHz."""
