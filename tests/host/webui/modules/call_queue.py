"""One job at a time, and what the page shows of a handler that raised."""

from __future__ import annotations

import html
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from modules import devices, errors, fifo_lock, shared

queue_lock = fifo_lock.FIFOLock()
_ARGUMENTS_SHOWN = 131072
Handler = Callable[..., Any]


def wrap_queued_call(func: Handler) -> Handler:
    """Let ``func`` wait for its turn. It may raise."""

    def queued(*args: Any, **kwargs: Any) -> Any:
        with queue_lock:
            return func(*args, **kwargs)

    return queued


def wrap_gradio_gpu_call(func: Handler, extra_outputs: list[Any] | None = None) -> Handler:
    """Run ``func`` as a job, in its turn. A first argument ``task(…)`` is the job's id."""

    @wraps(func)
    def job(*args: Any, **kwargs: Any) -> Any:
        has_id = args and isinstance(args[0], str) and args[0].startswith("task(") and args[0].endswith(")")
        with queue_lock:
            shared.state.begin(job=args[0] if has_id else None)
            result = func(*args, **kwargs)
            shared.state.end()
        return result

    return wrap_gradio_call(job, extra_outputs=extra_outputs, add_stats=True)


def wrap_gradio_call(func: Handler, extra_outputs: list[Any] | None = None, add_stats: bool = False) -> Handler:
    """Reset the state after ``func``, whether it raised or not."""

    @wraps(func)
    def reset(*args: Any, **kwargs: Any) -> Any:
        state = shared.state
        try:
            return func(*args, **kwargs)
        finally:
            state.skipped = state.interrupted = state.stopping_generation = False
            state.job_count = 0
            state.job = ""

    return wrap_gradio_call_no_job(reset, extra_outputs, add_stats)


def wrap_gradio_call_no_job(func: Handler, extra_outputs: list[Any] | None = None, add_stats: bool = False) -> Handler:
    """Report what ``func`` raises, and answer ``extra_outputs`` and the message instead: the last output is HTML."""

    @wraps(func)
    def reporting(*args: Any, extra_outputs_array: list[Any] | None = extra_outputs, **kwargs: Any) -> tuple:
        start = time.perf_counter()
        try:
            outputs = list(func(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  shown on the page
            shown = f"Arguments: {args} {kwargs}"[:_ARGUMENTS_SHOWN]
            errors.report(f"Error completing request\n{shown}", exc_info=True)
            message = html.escape(f"{type(error).__name__}: {error}")
            instead = [None, ""] if extra_outputs_array is None else extra_outputs_array
            outputs = [*instead, f"<div class='error'>{message}</div>"]
        devices.torch_gc()
        if add_stats:
            outputs[-1] += _time_taken(time.perf_counter() - start)
        return tuple(outputs)

    return reporting


def _time_taken(seconds: float) -> str:
    minutes = f"{int(seconds // 60)} min. " if seconds >= 60 else ""
    text = f"{minutes}{seconds % 60:.1f} sec."
    return f"<div class='performance'><p class='time'>Time taken: <span class='measurement'>{text}</span></p></div>"
