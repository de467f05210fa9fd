"""Notes of the last prompts that were encoded; the next conditioning of a job takes them all."""

from typing import Any

last_extra_generation_params: dict[str, Any] = {}
