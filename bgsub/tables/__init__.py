"""Tables of any size: CSV, Parquet, NPY and NPZ, in and out, in blocks of rows, columns by name."""
