"""What the running job is doing, and whether it should stop."""

from __future__ import annotations

import datetime
import time


class State:
    def __init__(self) -> None:
        self.skipped = self.interrupted = self.stopping_generation = False
        self.job, self.job_timestamp = "", "0"
        self.job_no = self.job_count = 0
        self.processing_has_refined_job_count = False
        self.sampling_step = self.sampling_steps = 0
        self.current_latent = self.current_image = None
        self.current_image_sampling_step = 0
        self.textinfo: str | None = None
        self.time_start: float | None = None
        self.server_start: float | None = None
        self.server_command: str | None = None

    def interrupt(self) -> None:
        self.interrupted = True

    def skip(self) -> None:
        self.skipped = True

    def stop_generating(self) -> None:
        self.stopping_generation = True

    def nextjob(self) -> None:
        self.job_no += 1
        self.sampling_step = 0
        self.current_image_sampling_step = 0

    def begin(self, job: str = "(unknown)") -> None:
        self.skipped = self.interrupted = self.stopping_generation = False
        self.sampling_step = self.sampling_steps = 0
        self.job_count, self.job_no = -1, 0
        self.processing_has_refined_job_count = False
        self.job_timestamp = datetime.datetime.now().strftime("%Y%m%d%H%M%S")
        self.current_latent = self.current_image = self.textinfo = None
        self.time_start = time.time()
        self.job = job

    def end(self) -> None:
        self.job = ""
        self.job_count = 0

    def set_current_image(self) -> None:
        """Live previews are left out."""

    def dict(self) -> dict:
        names = ("skipped", "interrupted", "stopping_generation", "job", "job_count", "job_timestamp", "job_no")
        return {name: getattr(self, name) for name in (*names, "sampling_step", "sampling_steps")}
