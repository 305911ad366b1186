"""EM in memory and beyond: from rows and a start to the parameters of greatest likelihood.

==================  ==============================================================================
`loop`              EM from given parameters, and the best of several runs
`rules`             how it iterates, and where it stopped
`squarem`           the same likelihood in fewer passes
`stepwise`          one step for rows that come a batch at a time
`training_data`     what is fitted to: rows in memory, in blocks, or wherever passes can be made
`robust_data`       rows of which some are noise, or are left out
`row_sample`        some rows of many, drawn in one pass, part by part if need be
`starts`            the parameters to start from, drawn from some rows with `kmeans`
`given_start`       those that the caller gives
`completion`        rows with gaps made whole, for starts to be drawn from
`progress`          what `verbose` prints
==================  ==============================================================================
"""
