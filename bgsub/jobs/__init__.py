"""A run as a value: a `Job` says what is read, by which model, and what is written; `execute` does it.

A job can be pickled, written down as JSON, changed with `dataclasses.replace`, and executed in another process or on
another machine: the files come out the same. The command line's ``bgsub run`` is one job, or a batch of them:
`find_inputs` says which inputs some names mean, `execute_all` does the same with each of them into one folder, whose
`Manifest` says what is done. Other commands over many inputs can keep theirs in it, and a cluster can take the tasks
that `naming.plan` makes, `batch.attempt` them anywhere, and put the results down in one process. The names here are not
yet promised to stay as they are.

Examples
--------
>>> from bgsub.jobs import Job, ModelChoice, Outputs
>>> job = Job("street.mp4", model=ModelChoice("mog2", {"history": 300}), outputs=Outputs(mask="street.mask.mkv"))
>>> Job.from_dict(job.as_dict()) == job
True

>>> inputs = find_inputs(["sample_videos/*.mp4"])
>>> len(inputs.each), inputs.several
(10, True)
"""

from bgsub.jobs.batch import Result, execute_all
from bgsub.jobs.execution import Summary, execute
from bgsub.jobs.inputs import Input, Inputs, find_inputs
from bgsub.jobs.job import Excerpt, Job, ModelChoice, Outputs
from bgsub.jobs.manifest import Entry, Manifest

__all__ = [
    "Entry",
    "Excerpt",
    "Input",
    "Inputs",
    "Job",
    "Manifest",
    "ModelChoice",
    "Outputs",
    "Result",
    "Summary",
    "execute",
    "execute_all",
    "find_inputs",
]
