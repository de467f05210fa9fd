"""Adding image terms to the cross-attentions of a UNet, and removing them again.

Each site gets hooks at the points that every attention implementation of every host passes: a forward hook on
``attn2.to_q`` keeps the query, and a pre-hook on ``attn2.to_out[0]`` adds the image terms to the text term right before
the shared output projection, where IP-Adapter has its ``+`` (https://arxiv.org/abs/2308.06721). A pre-hook on
``attn2.to_k`` keeps the text, which identifies the rows where another extension runs the attention in parts. With
regions, a pre-hook on the block also notes the height and width of its input, known only there.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Protocol

from lib_instantstyle.pictures.regions import WHOLE, RegionSampler
from lib_instantstyle.unet.call import CallRows, PartCursor, SiteRows, UNetCall
from lib_instantstyle.unet.grid import SiteGrid
from lib_instantstyle.unet.terms import ScheduledTerms, SiteTerm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import torch
    from torch import nn
    from torch.utils.hooks import RemovableHandle

    from lib_instantstyle.pictures.regions import CropWindow
    from lib_instantstyle.unet.sites import Site


class Companion(Protocol):
    """Hooks of another kind that live as long as an injection, and share the explanation of its calls."""

    def attach(self, injection: Injection, handles: list[RemovableHandle]) -> None:
        """Add the hooks to the UNet of ``injection``, and their handles to ``handles``."""

    def prepare(self, call: UNetCall, latents: torch.Tensor) -> Any:
        """Return what the hooks need during ``call``, whose noisy latents are ``latents`` ``[rows, channels, h, w]``.

        It becomes the ``records`` of the call's `CallRows`.
        """

    def forget(self) -> None:
        """Let go of everything that was prepared."""


class Injection:
    """Adds image terms to the cross-attentions of one UNet while injected.

    The constructor changes nothing. `inject` is all or nothing, `eject` idempotent; both use the modules that
    the terms hold and never look them up again.

    Args:
        unet: The model whose cross-attentions the terms name.
        scheduled: Image terms with their schedules; all of them are added.
        read_call: Explains the arguments of a call of ``unet``.
        window: The part of the picture that the UNet samples.
        companion: Further hooks, attached and removed with these.
    """

    def __init__(
        self,
        unet: nn.Module,
        scheduled: Sequence[ScheduledTerms],
        read_call: Callable[[tuple[Any, ...], Mapping[str, Any]], UNetCall],
        window: CropWindow = WHOLE,
        companion: Companion | None = None,
    ) -> None:
        self.unet = unet
        self.parts = PartCursor()
        self.is_aside = False  # during a pass of our own through the UNet, which is not to be styled
        self._read_call = read_call
        self._sites = _sites(scheduled, self, window)
        self._schedules = {terms.schedule for terms in scheduled if not terms.schedule.is_constant}
        self._handles: list[RemovableHandle] = []
        self._failure: Exception | None = None
        self.call = CallRows()
        self._outer: list[CallRows] = []  # calls of the UNet within which another extension calls it again
        self._companion = companion

    @property
    def is_injected(self) -> bool:
        """Whether hooks are in place."""
        return bool(self._handles)

    def inject(self) -> None:
        """Attach the hooks; an error leaves none behind.

        Raises:
            RuntimeError: If already injected.
        """
        if self.is_injected:
            raise RuntimeError("This injection is in place already; eject it first.")
        try:
            self._handles.append(self.unet.register_forward_pre_hook(self._begin_call, with_kwargs=True))
            self._handles.append(self.unet.register_forward_hook(self._end_call, always_call=True))
            for site in self._sites:
                site.attach(self._handles)
            if self._companion:
                self._companion.attach(self, self._handles)
        except BaseException:
            self.eject()
            raise

    def eject(self) -> None:
        """Remove every hook that was attached, if any."""
        while self._handles:
            self._handles.pop().remove()
        self._outer.clear()
        self.call = CallRows()
        for site in self._sites:
            site.forget()
        if self._companion:
            self._companion.forget()

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Let the UNet's attentions run as if nothing were injected."""
        before, self.is_aside = self.is_aside, True
        try:
            yield
        finally:
            self.is_aside = before

    def fail(self, error: Exception) -> None:
        """Raise ``error`` at the UNet's next call, for errors that the host would swallow where they occur."""
        self._failure = error

    def __enter__(self) -> Injection:
        """Inject for the duration of a ``with`` block."""
        self.inject()
        return self

    def __exit__(self, *exception: object) -> None:
        """Eject, whatever happened."""
        self.eject()

    def _begin_call(self, _unet: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._outer.append(self.call)
        if self._failure is not None:
            raise self._failure
        call = self._read_call(args, kwargs)
        strengths = {schedule: schedule.strength(call.timesteps) for schedule in self._schedules}
        rows = CallRows(call.rows, strengths, call.context)
        if self._companion:
            rows.records = self._companion.prepare(call, args[0])
        self.call = rows

    def _end_call(self, *_arguments: object) -> None:
        outer = self._outer.pop() if self._outer else None  # nothing where another's hook refused the call before ours
        if self._outer and outer:
            self.call = outer


def _sites(scheduled: Sequence[ScheduledTerms], injection: Injection, window: CropWindow) -> list[_InjectedSite]:
    """Group all terms by site: each site gets one pair of hooks."""
    terms: dict[Site, list[SiteTerm]] = {}
    sampler = RegionSampler(window)
    for group in scheduled:
        for term in group.terms:
            terms.setdefault(term.site, []).append(SiteTerm(term, group, sampler))
    return [_InjectedSite(site, terms[site], injection) for site in sorted(terms, key=lambda site: site.adapter_id)]


class _InjectedSite:
    """One cross-attention's hooks."""

    def __init__(self, site: Site, terms: list[SiteTerm], injection: Injection) -> None:
        self._attention: Any = site.attention
        self._terms = terms
        self._injection = injection
        self._query: torch.Tensor | None = None
        self._context: torch.Tensor | None = None
        self._rows = SiteRows(site.name, injection.parts)
        self._grid = SiteGrid(site)

    def attach(self, handles: list[RemovableHandle]) -> None:
        handles.append(self._attention.to_q.register_forward_hook(self._keep_query))
        handles.append(self._attention.to_k.register_forward_pre_hook(self._keep_context))
        handles.append(self._attention.to_out[0].register_forward_pre_hook(self._add_image_terms))
        if any(term.has_region for term in self._terms):
            handles.append(self._grid.attach())

    def forget(self) -> None:
        self._query = self._context = None
        self._rows.forget()
        self._grid.forget()
        for term in self._terms:
            term.forget()

    def _keep_query(self, _module: nn.Module, _args: object, output: torch.Tensor) -> None:
        self._query = output

    def _keep_context(self, _module: nn.Module, args: tuple[torch.Tensor, ...]) -> None:
        self._context = args[0]

    def _add_image_terms(self, _module: nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        text_term, *rest = args
        query, self._query = self._query, None
        context, self._context = self._context, None
        if self._injection.is_aside:
            return args
        if query is None:
            raise self._rows.mismatch(self._injection.call, "no query")
        call = self._rows.of(self._injection.call, query.shape[0], context)
        grid = self._grid.of(query.shape[1])
        total = text_term
        for term in self._terms:
            total = term.add_to(total, text_term, query, call, grid)
        return (total, *rest)
