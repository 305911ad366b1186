"""Clusters of a table's rows: its model, how that is fitted, and what it says of rows; no command line, no plots."""
