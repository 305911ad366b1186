"""Cameras that are watched for weeks: their encoded packets are kept and recorded, their pictures looked at.

A `LiveSource` has one connection at a time (`connecting`), whose packets get times on one clock (`stamps`), are made
whole (`halves`), wait in a `ring`, go to the clips that are open (`clips`, `segments`), and are decoded (`decoding`).
A clip is a fragmented MP4 (`fragments`) of packets as they came (`copying`) or of pictures encoded anew (`painting`).
"""
