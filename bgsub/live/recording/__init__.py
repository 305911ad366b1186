"""What is recorded of one camera: its events, each with a clip and files beside it, and all of it in segments.

`recorder` lets one event follow another, each an `event_recording`; `continuous` writes the segments. Whatever touches
the folder of recordings does so in the thread of `filing`, and `interrupted` completes what a kill left.
"""
