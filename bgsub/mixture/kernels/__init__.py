"""The compiled loops over rows: arrays and scalars in, sums and outputs written into arrays.

==============  ==================================================================================
`stages`        what all passes do with a tile of rows, and the memory they share
`full`          the pass for full covariances, of up to 16 features
`tied`          the pass for one covariance of all components, of up to 16 features
`matrices`      products of triangles, for full covariances of more than 16 features
`moments`       products of features, which `full` and `tied` are made of
`diagonal`      the passes for diagonal and spherical covariances
`gaps`          the pass for rows in which values are missing, of any type of covariance
`steps`         what comes before and after a pass: constants of the components, and the M step
`loops`         EM steps, or parts of them, with any of the passes; for small tables whole runs of EM
`tiles`         what passes do alike whatever the number of features: kernels that they call by address
`buffers`       the memory that kernels work in
==============  ==================================================================================
"""
