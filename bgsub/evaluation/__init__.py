"""How good and how fast: scenes with ground truth, and the comparison with OpenCV."""
