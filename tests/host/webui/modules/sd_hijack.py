"""What the host does to a loaded model: attention optimiser and prompt-aware text towers."""

from __future__ import annotations

from typing import Any

from torch import nn

from modules import script_callbacks, sd_hijack_optimizations, shared
from modules.flavour import flavour
from modules.sd_hijack_clip import FrozenCLIPEmbedderForSDXLWithCustomWords, FrozenCLIPEmbedderWithCustomWords
from modules.sd_hijack_open_clip import FrozenOpenCLIPEmbedder2WithCustomWords

if flavour.notes_on_model:
    from backend.text_processing import classic_engine

optimizers: list[Any] = []
current_optimizer: Any = None


def list_optimizers() -> None:
    """Collect the host's optimisers and those of extensions, the best first."""
    found = script_callbacks.list_optimizers_callback()
    sd_hijack_optimizations.list_optimizers(found)
    if not flavour.has_optimizers:
        found = [optimizer for optimizer in found if optimizer.name == "sdp"]
    optimizers[:] = sorted(found, key=lambda optimizer: optimizer.priority, reverse=True)


def apply_optimizations(option: str | None = None) -> str:
    """Replace the attention's forward as the settings say."""
    global current_optimizer  # noqa: PLW0603  the host's interface
    sd_hijack_optimizations.undo()
    selection = option or shared.opts.cross_attention_optimization
    if not optimizers:
        list_optimizers()
    if selection == "None":
        current_optimizer = None
    elif selection == "Automatic":
        current_optimizer = optimizers[0]
    else:
        names = (selection, selection.partition(" - ")[0])
        current_optimizer = next((o for o in optimizers if o.title() in names or o.name in names), optimizers[0])
    if current_optimizer is None:
        return ""
    current_optimizer.apply()
    return current_optimizer.name


class StableDiffusionModelHijack:
    def __init__(self) -> None:
        self.comments: list[str] = []
        self.extra_generation_params: dict[str, Any] = {}
        self.optimization_method: str | None = None
        self.clip: Any = None

    def hijack(self, m: nn.Module) -> None:
        if hasattr(m, "conditioner"):
            self._wrap_embedders(m.conditioner.embedders)
        else:
            m.cond_stage_model = FrozenCLIPEmbedderWithCustomWords(m.cond_stage_model, self)
        self.optimization_method = apply_optimizations()

    def _wrap_embedders(self, embedders: nn.ModuleList) -> None:
        for index, embedder in enumerate(embedders):
            if type(embedder).__name__ == "FrozenCLIPEmbedder":
                embedders[index] = FrozenCLIPEmbedderForSDXLWithCustomWords(embedder, self)
            elif type(embedder).__name__ == "FrozenOpenCLIPEmbedder2":
                embedders[index] = FrozenOpenCLIPEmbedder2WithCustomWords(embedder, self)

    def undo_hijack(self, m: nn.Module) -> None:
        if hasattr(m, "conditioner"):
            for index, embedder in enumerate(m.conditioner.embedders):
                m.conditioner.embedders[index] = getattr(embedder, "wrapped", embedder)
        else:
            m.cond_stage_model = getattr(m.cond_stage_model, "wrapped", m.cond_stage_model)
        sd_hijack_optimizations.undo()

    def redo_hijack(self, m: nn.Module) -> None:
        self.undo_hijack(m)
        self.hijack(m)

    def apply_optimizations(self, option: str | None = None) -> None:
        self.optimization_method = apply_optimizations(option)

    def clear_comments(self) -> None:
        self.comments = []
        self.extra_generation_params = {}


class _Stub:
    """What Forge has instead: it neither changes the model nor knows any notes."""

    clip = optimization_method = None

    def hijack(self, m: Any) -> None:
        """Nothing to do."""

    undo_hijack = redo_hijack = hijack

    def apply_optimizations(self, option: str | None = None) -> None:
        """Nothing to choose from."""

    def clear_comments(self) -> None:
        """Nothing to clear."""


hijack = StableDiffusionModelHijack()  # the one that acts
model_hijack = _Stub() if flavour.notes_on_model else hijack


def notes() -> Any:
    """Return what has the ``comments`` and ``extra_generation_params`` of the prompts of a job."""
    return shared.sd_model if flavour.notes_on_model else hijack


def clear_notes() -> None:
    kept = notes()
    kept.comments, kept.extra_generation_params = [], {}


def note_encoded() -> None:
    """Let the job have the notes of what was encoded last, if they are kept apart until then."""
    if flavour.notes_on_model:
        shared.sd_model.extra_generation_params.update(classic_engine.last_extra_generation_params)
        classic_engine.last_extra_generation_params = {}
