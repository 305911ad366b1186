"""A frame becomes a vector: what it looks like, what moves in it, where it lies among all frames."""
