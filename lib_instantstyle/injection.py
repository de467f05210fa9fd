"""The one object with a life: image terms into a UNet and out again. Knows torch only.

Two hooks a site, because they are the two points that every attention implementation of every host passes:
a forward hook on ``attn2.to_q`` keeps the query, and a pre-hook on ``attn2.to_out[0]`` adds the image term to
the text term right before the shared output projection, where the paper has its ``+``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from lib_instantstyle.attention import image_attention
from lib_instantstyle.errors import RowsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import nn
    from torch.utils.hooks import RemovableHandle

    from lib_instantstyle.plan import ImageTerm
    from lib_instantstyle.rows import Row
    from lib_instantstyle.schedule import Schedule

_MAX_LAYOUTS = 16  # expanded keys and values kept per site; a job rarely sees more than three


class UNetCall(NamedTuple):
    """What a host tells of one call of its UNet.

    Attributes:
        rows: One entry a row of the batch.
        timesteps: ``[rows]``, 0 to 999.
    """

    rows: tuple[Row, ...]
    timesteps: torch.Tensor


class Injection:
    """Adds image terms to the cross-attentions of one UNet while injected.

    Constructing touches nothing. `inject` is all or nothing, `eject` idempotent; both hold on to the modules
    they were given and never look them up again.
    """

    def __init__(
        self,
        unet: nn.Module,
        terms: Sequence[ImageTerm],
        schedule: Schedule,
        describe_call: Callable[[tuple[Any, ...], Mapping[str, Any]], UNetCall],
    ) -> None:
        self.unet = unet
        self._schedule = schedule
        self._describe_call = describe_call
        self._sites = [_InjectedSite(term, self) for term in terms]
        self._handles: list[RemovableHandle] = []
        self._strengths: dict[torch.dtype, torch.Tensor] = {}
        self._failure: Exception | None = None
        self.variants: tuple[int, ...] = ()  # of the current call: 1 for conditional rows, else 0

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
            for site in self._sites:
                site.attach(self._handles)
        except BaseException:
            self.eject()
            raise

    def eject(self) -> None:
        """Remove every hook that was attached. Harmless where none is."""
        while self._handles:
            self._handles.pop().remove()
        for site in self._sites:
            site.forget()

    def fail(self, error: Exception) -> None:
        """Raise ``error`` at the UNet's next call: for errors found where the host would swallow them."""
        self._failure = error

    def __enter__(self) -> Injection:
        """Inject for the duration of a ``with`` block."""
        self.inject()
        return self

    def __exit__(self, *exception: object) -> None:
        """Eject, whatever happened."""
        self.eject()

    def strength(self, dtype: torch.dtype) -> torch.Tensor | None:
        """Return the current call's strengths ``[rows, 1, 1]``, or None where they are 1 throughout."""
        if self._schedule.is_constant:
            return None
        if dtype not in self._strengths:
            self._strengths[dtype] = self._strengths[torch.float32].to(dtype)
        return self._strengths[dtype]

    def _begin_call(self, _unet: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self._failure is not None:
            raise self._failure
        call = self._describe_call(args, kwargs)
        self.variants = tuple(int(row.conditional) for row in call.rows)
        if not self._schedule.is_constant:
            self._strengths = {torch.float32: self._schedule.strength(call.timesteps)}


class _InjectedSite:
    """One cross-attention's two hooks, and its keys and values expanded for the row layouts seen."""

    def __init__(self, term: ImageTerm, injection: Injection) -> None:
        self._term = term
        self._injection = injection
        self._query: torch.Tensor | None = None
        self._expanded: dict[object, tuple[torch.Tensor, torch.Tensor]] = {}

    def attach(self, handles: list[RemovableHandle]) -> None:
        attention: Any = self._term.site.attention
        handles.append(attention.to_q.register_forward_hook(self._keep_query))
        handles.append(attention.to_out[0].register_forward_pre_hook(self._add_image_term))

    def forget(self) -> None:
        self._query = None
        self._expanded.clear()

    def _keep_query(self, _module: nn.Module, _args: object, output: torch.Tensor) -> None:
        self._query = output

    def _add_image_term(self, _module: nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        text_term, *rest = args
        query, self._query = self._query, None
        if query is None or query.shape[0] != len(self._injection.variants):
            raise RowsError(_mismatch(self._term.site.name, query, self._injection.variants))
        key, value = self._keys_values(query)
        image_term = image_attention(query, key, value).to(text_term.dtype)
        strength = self._injection.strength(text_term.dtype)
        if strength is None:
            return (text_term + image_term, *rest)
        return (torch.addcmul(text_term, image_term, strength), *rest)

    def _keys_values(self, query: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return key and value for the rows of this call, in the query's dtype and on its device.

        Kept per exact row layout, so a change of layout inside a job cannot meet a stale expansion.
        """
        layout = (self._injection.variants, query.dtype, query.device)
        if layout not in self._expanded:
            if len(self._expanded) >= _MAX_LAYOUTS:
                self._expanded.clear()
            rows = list(self._injection.variants)
            key, value = self._term.key[rows], self._term.value[rows]
            self._expanded[layout] = (key.to(query.device, query.dtype), value.to(query.device, query.dtype))
        return self._expanded[layout]


def _mismatch(site: str, query: torch.Tensor | None, variants: tuple[int, ...]) -> str:
    rows = "no query" if query is None else f"{query.shape[0]} rows"
    return (
        f"{site} was called with {rows} where the UNet's call has {len(variants)} rows. Another extension changes "
        "this cross-attention; switch it off, or switch InstantStyle off."
    )
