"""Who is told of events, of cameras that are lost and found, and of trouble: programs, addresses, brokers, people.

`occasions` says what there is to tell, and in which words; each channel, a file here, tells it; `channels` makes those
that are asked for. Secrets never stand in an error or a log.
"""
