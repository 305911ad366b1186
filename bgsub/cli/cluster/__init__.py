"""``bgsub cluster``: a Gaussian mixture of the rows of a table, a command a file."""

from __future__ import annotations

import click

from bgsub.cli.groups import LazyGroup

_COMMANDS = {
    "fit": "Learn the clusters of a table.",
    "predict": "Tell for each row of a table which cluster it belongs to, and how surely.",
    "score": "Find the rows that are unlike those that the model learned.",
    "impute": "Fill in the gaps of a table by what each row holds.",
    "sample": "Draw new rows from a model.",
    "select": "Find how many clusters a table has, and of what shape.",
    "plot": "Draw the rows and the clusters of a table.",
    "frames": "Sort the frames of a video into kinds of scene, and find the unusual ones.",
    "colors": "Find the few colours that a picture or a video is made of.",
}

_EXAMPLES = """
bgsub cluster select customers.csv --columns value,visits --scale --components 1-6 --plot bic.png
bgsub cluster fit customers.csv --columns value,visits --scale --components 3 --model c.bgsub
bgsub cluster predict c.bgsub customers.csv --output segments.csv --keep customer
bgsub cluster plot c.bgsub customers.csv --output segments.png
bgsub cluster score c.bgsub new.csv --quantile 0.001
"""


@click.group(
    name="cluster",
    cls=LazyGroup,
    package="bgsub.cli.cluster",
    lazy_commands=_COMMANDS,
    examples=_EXAMPLES,
    hints={"colours": "colors", "kmeans": "fit"},
)
def command() -> None:
    """Cluster the rows of a table by a Gaussian mixture, and find the unusual ones.

    Every row gets a probability for each cluster, not only a label. Tables are CSV and other text, Excel, Parquet,
    Arrow, JSON lines or NumPy's, also packed, of any number of rows; - is standard input or output. Tables, models and
    outputs may lie on a store (s3://bucket/year.parquet). Rows are counted from 1, without the heading; clusters from
    0, the largest first. `bgsub cluster COMMAND --help` explains a command.
    """
