"""The page to see the cameras on, and the API that it uses; needs ``bgsub[web]``.

A request passes `guard` (names of hosts, origins, who asks), is found in the one table of `routes`, from which the
OpenAPI document is made as well, and is answered by a function of `asking`, `changing`, `recorded` or `entering`, which
see the rest of the program as a `station`. Pictures and news go over one WebSocket for each page: `viewing`, `socket`.
"""
