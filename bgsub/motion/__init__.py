"""What masks mean: blobs, zones, tracks and events, and what is told and kept of them.

`scanning.scan` goes through one timeline and yields its events as they close. On the way a frame's mask becomes an
`Observation` of `Blob`s (`observing`), blobs are linked to `Track`s (`tracking`), and observations open and close
`Event`s (`events`), which know nothing of files. What came of one timeline is a `Scanned` (`results`): reports, clips
and heat maps are made of it, and it can be kept as JSON.
"""
