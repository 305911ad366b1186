"""The streaming model: parameters, state, `apply`, the foreground decision, model files. Knows nothing of video."""
