"""Cameras that are looked after: watched, recorded, told of, and kept for as long as there is room.

Each camera has a process of its own (`camera`), which reads its stream once: its packets are what is recorded
(`recording`), its pictures what is looked at (`looking`). `supervising` starts these processes, starts them again, and
takes their `messages`. From these lives what runs beside the cameras, the `household`: the `archive` of what was
recorded, those who are told (`telling`), `health` for machines, and the page for people (`web`). What is asked for
stands in `settings`, read by `configuration`; where files lie in `layout`; and all time comes from one `clock`.
"""
