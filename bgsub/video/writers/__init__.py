"""Frames out: one writer for each kind of output, and the thread that writes behind."""
