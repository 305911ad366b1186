"""Cameras that are looked after: watched, recorded, told of, and kept for as long as there is room.

Each camera has a process of its own (`camera`), which reads its stream once, for the packets that are recorded and the
pictures that are looked at; `supervisor` starts these processes, starts them again, and takes their `messages`. What is
asked for stands in `settings`, where files lie in `layout`, and all time comes from one `clock`.
"""
