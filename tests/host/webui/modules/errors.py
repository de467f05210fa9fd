"""Exceptions that must not stop the host."""

import sys
import textwrap
import traceback

_KEPT = 5
exception_records: list[tuple[str, str]] = []


def report(message: str, *, exc_info: bool = False) -> None:
    """Print ``message``, with the exception being handled if ``exc_info``; the last few are kept."""
    trace = traceback.format_exc() if exc_info else ""
    if exc_info:
        exception_records.append((message, trace))
        del exception_records[:-_KEPT]
    print(f"*** {message}", file=sys.stderr)
    if trace:
        print(textwrap.indent(trace, "    "), file=sys.stderr)


def display(error: BaseException, task: str) -> None:
    """Print an error that was caught elsewhere."""
    print(f"{task}: {type(error).__name__}: {error}", file=sys.stderr)
