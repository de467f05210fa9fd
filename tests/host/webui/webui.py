"""The server: start, wait for a command, Reload UI, stop. Imported after the command line is known."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
from typing import Any

from modules.shared_cmd_options import cmd_opts

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# Read when torch is loaded: `torch.set_num_threads` holds for the thread that calls it, and jobs run in others.
os.environ["OMP_NUM_THREADS"] = str(cmd_opts.threads)

import gradio as gr
import uvicorn
from fastapi import FastAPI
from modules import call_queue, gradio4, initialize, script_callbacks, shared, ui, ui_extra_networks_routes
from modules.api.api import Api
from modules.paths_internal import data_path, models_path, script_path

_POLL = 0.2  # seconds


def _accounts(text: str | None) -> list[tuple[str, str]] | None:
    return [tuple(entry.strip().split(":", 1)) for entry in text.split(",")] if text else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def build() -> FastAPI:
    """Build page and API as one application, in the host's order."""
    if shared.cmd_opts.nowebui:
        app = FastAPI()
        Api(app, call_queue.queue_lock)
        script_callbacks.before_ui_callback()
        script_callbacks.app_started_callback(None, app)
    else:
        script_callbacks.before_ui_callback()
        shared.demo = demo = ui.create_ui()
        demo.queue(64)
        app = _page_app(demo)
        if shared.cmd_opts.api:
            Api(app, call_queue.queue_lock)
        ui_extra_networks_routes.add_pages_to_demo(app)
        script_callbacks.app_started_callback(demo, app)
    app.add_api_route("/internal/ping", lambda: {}, methods=["GET"])
    return app


def _page_app(demo: gr.Blocks) -> FastAPI:
    from modules import extensions

    demo.auth = _accounts(shared.cmd_opts.gradio_auth)
    demo.auth_message = None
    demo.allowed_paths = [script_path, data_path, models_path, *(e.path for e in extensions.active())]
    demo.blocked_paths = []
    demo.show_error = True
    demo.max_threads = 40
    demo.is_running = True
    demo.validate_queue_settings()
    demo.config = demo.get_config_file()
    if gradio4.IS_4:
        gradio4.before_start(demo)
    demo.app = gr.routes.App.create_app(demo)
    return demo.app


class Server:
    """Serves one incarnation of the application after the other on the same port."""

    def __init__(self, port: int, listen: bool) -> None:
        self.host = "0.0.0.0" if listen else "127.0.0.1"
        self.port = port or _free_port()
        self._uvicorn: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, app: Any) -> None:
        config = uvicorn.Config(app, host=self.host, port=self.port, log_level="warning", timeout_graceful_shutdown=2)
        self._uvicorn = uvicorn.Server(config)
        if shared.demo is not None:
            shared.demo.server_name, shared.demo.server_port = self.host, self.port
            shared.demo.local_url = f"{self.url}/"
            if not gradio4.IS_4:
                shared.demo._queue.set_url(shared.demo.local_url)
        self._thread = threading.Thread(target=self._uvicorn.run, daemon=True)
        self._thread.start()
        while not self._uvicorn.started:
            if not self._thread.is_alive():
                raise RuntimeError(f"Port {self.port} cannot be used. Choose another one with --port.")
            time.sleep(_POLL / 10)
        if shared.demo is not None and gradio4.IS_4:
            gradio4.after_start(shared.demo)

    def stop(self) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # open pages are cut off; no need to say so
        self._uvicorn.should_exit = True
        self._thread.join()


def serve() -> None:
    """Run until a stop command or a signal."""
    state = shared.state
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: setattr(state, "server_command", "stop"))
    initialize.initialize()
    server = Server(shared.cmd_opts.port, shared.cmd_opts.listen)
    server.start(build())
    print(f"Stand-in WebUI ready at {server.url}", flush=True)
    while True:
        command, state.server_command = state.server_command, None
        if command == "stop":
            break
        if command == "restart":
            server.stop()
            initialize.before_reload()
            initialize.initialize_rest()
            server.start(build())
            print(f"Reloaded; ready at {server.url}", flush=True)
        time.sleep(_POLL)
    server.stop()
    sys.stdout.flush()
    os._exit(0)  # as the host: threads of gradio do not end by themselves
