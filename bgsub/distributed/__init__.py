"""Jobs over many videos, and mixtures of tables that fit nowhere, on Dask: nothing of the scheduling is ours."""
