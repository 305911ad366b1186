"""Files on stores that fsspec reaches (``s3://``, ``gs://``, ...), videos and tables alike: addresses, paths, bytes."""
