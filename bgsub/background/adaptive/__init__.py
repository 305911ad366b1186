"""The adaptive mixture, which finds out by itself what a scene is like."""
