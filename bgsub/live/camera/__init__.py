"""One camera at work, in a process of its own: `process` runs the `loop`; `views` are what people look at."""
