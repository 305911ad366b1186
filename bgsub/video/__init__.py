"""Frames in and out: sources, prefetch, writers, drawing. Knows nothing of mixtures."""
