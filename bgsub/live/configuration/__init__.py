"""What is asked for, as people write it: the file, its amounts and secrets, and whether it can be done.

`reading` makes `bgsub.live.settings` of the file, and `checking` sees what their types cannot; `describing` shows them
without secrets.
"""
