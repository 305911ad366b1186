"""What is seen of one camera: what moves in its pictures, where, and when that is an event.

`watching` says so for one picture after another; `settling` when pictures are believed, `zones` where it counts. What
`drawing` shows of it is black where `privacy` asks for that.
"""
