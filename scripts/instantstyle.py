"""The AlwaysOn script: the host's hooks and callbacks, each handed to its owner in `lib_instantstyle`."""

import modules.scripts as scripts
from modules import script_callbacks

from lib_instantstyle import NAME
from lib_instantstyle.webui.extension import extension
from lib_instantstyle.webui.forms import extra_networks, last_parameters, xyz
from lib_instantstyle.webui.page import pasting, send_buttons
from lib_instantstyle.webui.page.accordion import Accordion
from lib_instantstyle.webui.routes.api import Api
from lib_instantstyle.webui.setup import settings

ours = extension()


class InstantStyleScript(scripts.Script):
    """InstantStyle in txt2img and img2img."""

    create_group = False

    def title(self):
        """Name in the API and of the infotext keys."""
        return NAME

    def show(self, is_img2img):
        """Be present in both tabs."""
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        """Build the accordion."""
        accordion = Accordion(ours, self.elem_id, is_img2img=is_img2img)
        components = accordion.build()
        self.infotext_fields = accordion.infotext_fields()
        self.paste_field_names = accordion.paste_names()
        return components

    def before_process(self, p, *args):
        """Read the arguments."""
        ours.generation.begin(p, args)

    def process(self, p, *args):
        """Read reference, adapter and encoder."""
        ours.generation.prepare(p)

    def process_before_every_sampling(self, p, *args, c=None, **kwargs):
        """Style the denoising loop that comes next."""
        ours.generation.before_sampling(p, c)

    def postprocess(self, p, processed, *args):
        """Leave nothing behind but the last parameters."""
        ours.generation.finish(p)
        last_parameters.complete(processed)


def before_ui():
    """Add our axes, cards and tag before the page is built."""
    xyz.register({"adapter": ours.models.adapter_names, "style": ours.library.names}, ours.plot_checks)
    extra_networks.register(ours.library)


script_callbacks.on_cfg_denoiser(ours.generation.step)
script_callbacks.on_cfg_after_cfg(ours.generation.denoised)
script_callbacks.on_model_loaded(lambda _model: ours.generation.model_loaded())
script_callbacks.on_script_unloaded(ours.generation.unload)
script_callbacks.on_infotext_pasted(lambda _text, parameters: pasting.complete(parameters, ours.library.sha256_of))
script_callbacks.on_ui_settings(settings.register)
script_callbacks.on_before_ui(before_ui)
script_callbacks.on_after_component(send_buttons.add_after)
script_callbacks.on_app_started(lambda _demo, app: Api(ours).register(app))
