"""The watch as a whole: the processes of all cameras, kept going, and whoever listens to them.

`running` puts a watch together, and takes it through reloads to its end; the `supervisor` has a `keeping_up` for each
camera, whose process is a `camera_process`. What they say goes to the `audience`.
"""
