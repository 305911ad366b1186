"""What has been recorded: the index that knows it, made anew from the files where need be, and what has to go.

`service` runs all of it beside the cameras. The files hold the truth; the `index` is quick to ask, and `rebuilding`
compares the two. `retention` removes the oldest and what is least unlike the rest, each with its reason.
"""
