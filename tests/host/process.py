"""The stand-in as a process of its own, for tests that speak HTTP."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.host.launcher import EXTENSION_ROOT

_READY = re.compile(r"ready at (\S+)")
_SECONDS_TO_START = 180
_SECONDS_TO_STOP = 10
_LINES_KEPT = 400
# A setting that was never saved does not come back after a job that overrides it, here as in the real WebUI.
_SAVED_SETTINGS = {
    "batch_cond_uncond": True,
    "pad_cond_uncond": False,
    "pad_cond_uncond_v0": False,
    "s_min_uncond": 0.0,
    "s_min_uncond_all": False,
    "skip_early_cond": 0.0,
    "upcast_attn": False,
    "cross_attention_optimization": "Automatic",
}


class Host:
    """A running stand-in.

    Attributes:
        url: Its address.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.url = ""
        self._process = process
        self._lines: list[str] = []
        self._ready = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def log(self) -> str:
        """The last lines that the stand-in printed."""
        return "".join(self._lines)

    def wait(self) -> None:
        """Return when the stand-in has ended, or on Ctrl+C."""
        try:
            self._process.wait()
        except KeyboardInterrupt:
            print()

    def wait_until_ready(self) -> None:
        """Return when the page answers.

        Raises:
            RuntimeError: If it ends or does not answer in time; the log is part of the message.
        """
        if not self._ready.wait(_SECONDS_TO_START) or not self.url:
            raise RuntimeError(f"The stand-in WebUI did not start.\n{self.log}")

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read(self) -> None:
        for line in self._process.stdout:
            self._lines.append(line)
            del self._lines[:-_LINES_KEPT]
            if not self.url and (match := _READY.search(line)):
                self.url = match.group(1)
                self._ready.set()
        self._ready.set()


@contextmanager
def start(
    models_dir: Path | str,
    *arguments: str,
    data_dir: Path | str | None = None,
    port: int = 0,
    extension: bool = True,
    saved_settings: bool = True,
) -> Iterator[Host]:
    """Run the stand-in with this repository as its extension.

    Args:
        models_dir: What `python -m tests.tiny` wrote.
        arguments: Further ones for the command line.
        data_dir: Settings, caches and pictures; a temporary folder without one.
        port: 0 chooses a free one.
        extension: Whether to load this repository.
        saved_settings: Whether the settings that tests change for one job were saved before.
    """
    with tempfile.TemporaryDirectory(prefix="webui-stand-in-") as temporary:
        data = Path(data_dir or temporary).resolve()
        data.mkdir(parents=True, exist_ok=True)
        if saved_settings and not (data / "config.json").exists():
            (data / "config.json").write_text(json.dumps(_SAVED_SETTINGS), encoding="utf-8")
        command = [sys.executable, "-m", "tests.host", "--models-dir", str(Path(models_dir).resolve())]
        command += ["--data-dir", str(data), "--port", str(port), *arguments]
        process = subprocess.Popen(
            command if extension else [*command, "--bare"],
            cwd=EXTENSION_ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        host = Host(process)
        try:
            host.wait_until_ready()
            yield host
        finally:
            host.stop()
