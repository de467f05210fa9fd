"""The AlwaysOn script: the host's hooks and callbacks, each handed to its owner in `lib_instantstyle`."""

import modules.scripts as scripts
from modules import script_callbacks

from lib_instantstyle import NAME
from lib_instantstyle.webui import api, extra_networks, infotext, settings, xyz
from lib_instantstyle.webui.generation import GENERATION
from lib_instantstyle.webui.page.accordion import Accordion


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
        accordion = Accordion(self.elem_id, is_img2img=is_img2img)
        components = accordion.build()
        self.infotext_fields = accordion.infotext_fields()
        self.paste_field_names = accordion.paste_names()
        return components

    def before_process(self, p, *args):
        """Read the arguments."""
        GENERATION.begin(p, args)

    def process(self, p, *args):
        """Read reference, adapter and encoder."""
        GENERATION.prepare(p)

    def process_before_every_sampling(self, p, *args, c=None, **kwargs):
        """Style the denoising loop that comes next."""
        GENERATION.before_sampling(p, c)

    def postprocess(self, p, processed, *args):
        """Leave nothing behind."""
        GENERATION.finish(p)


script_callbacks.on_cfg_denoiser(GENERATION.step)
script_callbacks.on_model_loaded(lambda _model: GENERATION.model_loaded())
script_callbacks.on_script_unloaded(GENERATION.eject)
script_callbacks.on_infotext_pasted(lambda _text, parameters: infotext.fill_defaults(parameters))
script_callbacks.on_ui_settings(settings.register)
script_callbacks.on_before_ui(xyz.register)
script_callbacks.on_before_ui(extra_networks.register)
script_callbacks.on_app_started(api.register)
