"""Clips of events: copied between key frames, or encoded anew from their first frame to their last, and a reel of all.

`spans` says what a clip shows and what it is called, `writing` writes clips, `picturing` what is drawn on them, `reel`
one video of many.
"""
