"""One pass over the rows, the E step: how its sums are defined, and how they are made.

==============  ==================================================================================
`statistics`    the sums, how those of two parts add up, and the M step that they are for
`cpu`           passes over rows in memory, by threads; densities, responsibilities and labels
`large`         the part of it for full and tied covariances of more than 16 features
`missing`       passes over rows with gaps, each of which counts by what is observed of it
`robust`        the same with rows that are noise to some share, or are left out
`wide_step`     and their M step, by LAPACK
`pieces`        rows that kernels cannot read as they are
==============  ==================================================================================
"""
