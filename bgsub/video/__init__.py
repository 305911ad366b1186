"""Frames in and out: interfaces, opening, readers and writers. Knows nothing of mixtures."""
