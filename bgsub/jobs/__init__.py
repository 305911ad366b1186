"""A run as a value: a `Job` says what is read, by which model, and what is written; `execute` does it.

A job can be pickled, written down as JSON, changed with `dataclasses.replace`, and executed in another process or on
another machine: the files come out the same. The command line's ``bgsub run`` is one job. The names here are not yet
promised to stay as they are.

Examples
--------
>>> from bgsub.jobs import Job, ModelChoice, Outputs
>>> job = Job("street.mp4", model=ModelChoice("mog2", {"history": 300}), outputs=Outputs(mask="street.mask.mkv"))
>>> Job.from_dict(job.as_dict()) == job
True
"""

from bgsub.jobs.execution import Summary, execute
from bgsub.jobs.job import Excerpt, Job, ModelChoice, Outputs

__all__ = ["Excerpt", "Job", "ModelChoice", "Outputs", "Summary", "execute"]
