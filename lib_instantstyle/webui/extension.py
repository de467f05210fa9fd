"""The objects that live as long as the process, created once and handed to whoever needs them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from lib_instantstyle.library.style_library import StyleLibrary
from lib_instantstyle.models.model_files import ModelFiles
from lib_instantstyle.webui.encoding.encoder_holder import EncoderHolder
from lib_instantstyle.webui.encoding.picture_encoder import PictureEncoder
from lib_instantstyle.webui.hosts.detect import detect_host
from lib_instantstyle.webui.jobs.generation import Generation
from lib_instantstyle.webui.jobs.plot_checks import PlotChecks
from lib_instantstyle.webui.jobs.readiness import Readiness
from lib_instantstyle.webui.setup.fetching import ModelFetching
from lib_instantstyle.webui.setup.folders import search_folders, styles_folder
from lib_instantstyle.webui.styles.style_builder import StyleBuilder

if TYPE_CHECKING:
    from lib_instantstyle.webui.hosts.host import Host


class Extension:
    """The one owner of all state that changes while the program runs."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.models = ModelFiles(search_folders)
        self.library = StyleLibrary(styles_folder())
        self.encoders = EncoderHolder(host.free_memory)
        self.builder = StyleBuilder(host, self.models.look, self.library, PictureEncoder(host, self.encoders))
        self.generation = Generation(self.builder)
        self.fetching = ModelFetching(self.models)
        self.readiness = Readiness(host, self.builder)
        self.plot_checks = PlotChecks(self.builder)


@functools.cache
def extension() -> Extension:
    """Return the extension of this process.

    It lives in the library because, unlike scripts, library modules survive the WebUI's "Reload UI": what is injected
    or being fetched must still be found afterwards.
    """
    return Extension(detect_host())
