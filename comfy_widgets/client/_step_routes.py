"""What a sampler of the embedded engine did, step by step."""

from __future__ import annotations

from ..protocol import requests
from ._calls import RouteGroup
from ._errors import ComfyError
from ._job import Job
from ._step_record import StepRecord, unpack


class StepRoutes(RouteGroup):
    """Routes that only the embedded engine has."""

    def step_record(self, job: Job | str) -> StepRecord:
        """Every step of a job's samplers: the latent, the model's estimate, and the scenes it thinks of.

        The embedded engine keeps the steps of its last runs, whatever previews were asked for. It may be asked while
        the job runs, for the steps so far, and also for a job whose result came from the cache.

        Parameters
        ----------
        job : Job or str
            The job, or its prompt id.

        Returns
        -------
        StepRecord
            The steps of the first image of each batch, in the order in which they were taken.

        Raises
        ------
        ComfyError
            The server is no embedded engine, or keeps no steps of this job: none was sampled, or it is so long ago that
            newer runs took its place. Or numpy is not installed.

        Examples
        --------
        >>> job = client.submit(example(), steps=4, cfg=3)
        >>> record = client.step_record(job.wait())
        >>> [step.evaluations for step in record.steps]
        [1, 2, 3, 4]
        >>> record.steps[0].scenes[0].description                     # doctest: +SKIP
        'morning, mountains, lake, red balloon'
        """
        prompt_id = job.prompt_id if isinstance(job, Job) else job
        reply = self._calls.call(requests.get(f"/comfy_widgets/steps/{requests.path_part(prompt_id, 'prompt_id')}"))
        if reply.status == 404:
            raise ComfyError(self._why_none(reply.content, prompt_id))
        return unpack(self._calls.checked(reply, "Reading the steps of a job").content)

    def _why_none(self, body: bytes, prompt_id: str) -> str:
        if b"No steps are kept" in body:
            return (
                f"The engine keeps no steps of the job {prompt_id}: no sampler has run for it, or it is so long ago "
                "that newer runs took its place. Run it again with another seed, or with one step more."
            )
        return (
            f"{self._calls.address.shown} keeps no record of a sampler's steps; only the embedded engine does. "
            "Engine() starts one."
        )
