"""Frames in: one reader for each kind of source, and the thread that reads ahead."""
