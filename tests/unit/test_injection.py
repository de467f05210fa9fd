import contextlib
import weakref
from collections.abc import Iterator

import pytest
import torch

from lib_instantstyle.errors import AdapterError, RowsError
from lib_instantstyle.method.attention import image_attention
from lib_instantstyle.method.schedule import Schedule
from lib_instantstyle.models.adapter import Adapter, open_adapter
from lib_instantstyle.params.blocks import LAYOUT, STYLE, Block
from lib_instantstyle.unet.call import UNetCall
from lib_instantstyle.unet.injection import Injection
from lib_instantstyle.unet.plan import Source, image_terms, make_plan
from lib_instantstyle.unet.rows import RowCursor
from lib_instantstyle.unet.sites import enumerate_sites
from lib_instantstyle.unet.terms import ScheduledTerms
from tests.support import files
from tests.support.counting import hooks
from tests.support.unets import CONTEXT, SmallUNet

X = torch.randn(8, 5, 16, generator=torch.Generator().manual_seed(1))
TEXT = torch.randn(8, 3, CONTEXT, generator=torch.Generator().manual_seed(2))
SEEN, NOTHING = torch.randn(2, 1, 4, CONTEXT, generator=torch.Generator().manual_seed(3))
SITES = sum(site.block is STYLE for site in enumerate_sites(SmallUNet()))


class Bench:
    """A UNet with an injection, called as a host calls it."""

    def __init__(self, adapter: Adapter, weights: dict[Block, float], schedule: Schedule | None = None) -> None:
        self.unet = SmallUNet()
        self.cursor = RowCursor()
        self.injection = self.inject_sources(adapter, [Source(weights, SEEN, NOTHING)], schedule)

    def inject_sources(
        self, adapter: Adapter, sources: list[Source], schedule: Schedule | None = None, colours: float = 0.0
    ) -> Injection:
        terms = image_terms(sources, enumerate_sites(self.unet), adapter)
        return Injection(self.unet, [ScheduledTerms(terms, schedule or Schedule(), colours)], self._describe)

    def _describe(self, args, kwargs) -> UNetCall:
        return UNetCall(self.cursor.take(args[0].shape[0]), kwargs["timesteps"])

    def step(self, parts: list[int], calls: list[int] | None = None, timestep: float = 500.0) -> torch.Tensor:
        rows = sum(parts) + len(parts)
        self.cursor.begin_step(parts, sum(parts), len(parts))
        chunks = calls or [rows]
        outputs, start = [], 0
        for count in chunks:
            part = slice(start, start + count)
            outputs.append(self.unet(X[part], timesteps=torch.full((count,), timestep), context=TEXT[part]))
            start += count
        return torch.cat(outputs)


@pytest.fixture
def style(adapter: Adapter) -> Iterator[Bench]:
    bench = Bench(adapter, {STYLE: 1.0})
    with bench.injection:
        yield bench


def test_the_formula() -> None:
    q, k, v = torch.randn(2, 5, 12), torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    heads = []
    for head in range(3):
        scores = q[..., 4 * head : 4 * head + 4] @ k[:, head].transpose(1, 2) / 2.0
        heads.append(scores.softmax(-1) @ v[:, head])
    torch.testing.assert_close(image_attention(q, k, v), torch.cat(heads, -1))


def test_constructing_touches_nothing(adapter: Adapter) -> None:
    bench = Bench(adapter, {STYLE: 1.0})
    assert hooks(bench.unet) == 0
    assert not bench.injection.is_injected


def test_only_planned_sites_carry_hooks(style: Bench) -> None:
    planned = [site for site in enumerate_sites(style.unet) if site.block is STYLE]
    assert hooks(style.unet) == 2 + 3 * len(planned)
    assert all(len(site.attention.to_q._forward_hooks) == 1 for site in planned)


def test_weight_zero_plans_nothing(adapter: Adapter) -> None:
    assert make_plan({STYLE: 0.0}, enumerate_sites(SmallUNet())) == ()


def test_twice_in_and_out_leaves_the_unet_as_it_was(adapter: Adapter) -> None:
    bench = Bench(adapter, {STYLE: 1.0, LAYOUT: 42.0})
    before, modules = bench.step([1]), repr(bench.unet)
    state = {name: sorted(module.__dict__) for name, module in bench.unet.named_modules()}
    for _ in range(2):
        bench.injection.inject()
        assert not torch.equal(bench.step([1]), before)
        bench.injection.eject()
        bench.injection.eject()
        assert hooks(bench.unet) == 0
        assert torch.equal(bench.step([1]), before)
    assert repr(bench.unet) == modules
    assert {name: sorted(module.__dict__) for name, module in bench.unet.named_modules()} == state


def test_injecting_twice_is_refused(style: Bench) -> None:
    with pytest.raises(RuntimeError, match="in place already"):
        style.injection.inject()


def test_injecting_is_all_or_nothing(adapter: Adapter) -> None:
    bench = Bench(adapter, {STYLE: 1.0, LAYOUT: 1.0})
    last = [site for site in enumerate_sites(bench.unet) if site.block is STYLE][-1]
    del last.attention.to_out
    with pytest.raises(AttributeError):
        bench.injection.inject()
    assert hooks(bench.unet) == 0


def test_an_error_inside_leaves_no_hook(adapter: Adapter) -> None:
    bench = Bench(adapter, {STYLE: 1.0})
    with pytest.raises(ZeroDivisionError), bench.injection:
        _ = 1 / 0
    assert hooks(bench.unet) == 0


@pytest.mark.parametrize("parts", [[1], [1, 1], [1, 1, 1, 1], [2, 1], [3]], ids=str)
@pytest.mark.parametrize("split", ["whole", "cond and uncond", "row by row"])
def test_every_row_layout_equals_row_by_row(style: Bench, parts: list[int], split: str) -> None:
    rows, conditional = sum(parts) + len(parts), sum(parts)
    calls = {"whole": [rows], "cond and uncond": [conditional, len(parts)], "row by row": [1] * rows}[split]
    expected = []
    for row in range(rows):  # the definition: conditional rows see the picture, the others see nothing
        style.cursor.begin_step([1], 1, 1)
        if row >= conditional:
            style.cursor.take(1)
        part = slice(row, row + 1)
        expected.append(style.unet(X[part], timesteps=torch.full((1,), 500.0), context=TEXT[part]))
    torch.testing.assert_close(style.step(parts, calls), torch.cat(expected), rtol=1e-5, atol=1e-6)


def test_layouts_may_change_from_step_to_step(style: Bench) -> None:
    """The peers' cache bug: keys of one layout met by another."""
    expected = {str((parts, calls)): style.step(parts, calls) for parts, calls in _LAYOUTS}
    for parts, calls in (*_LAYOUTS[::-1], *_LAYOUTS):
        assert torch.equal(style.step(parts, calls), expected[str((parts, calls))])


_LAYOUTS: list[tuple[list[int], list[int]]] = [([1], [2]), ([1], [1, 1]), ([1, 1], [4]), ([1, 1], [2]), ([2], [3])]


@pytest.fixture
def expansions(monkeypatch: pytest.MonkeyPatch) -> list[weakref.ref[torch.Tensor]]:
    """Every expanded key that came to an attention; those let go of are dead."""
    seen: list[weakref.ref[torch.Tensor]] = []

    def watched(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        if not any(known() is key for known in seen):
            seen.append(weakref.ref(key))
        return image_attention(query, key, value)

    monkeypatch.setattr("lib_instantstyle.unet.terms.image_attention", watched)
    return seen


def test_layouts_in_turn_are_expanded_once(style: Bench, expansions: list[weakref.ref[torch.Tensor]]) -> None:
    for _ in range(3):
        style.step([1], [2])
        style.step([1], [1, 1])
    assert len(expansions) == 3 * SITES


def test_no_more_than_16_expansions_are_kept(style: Bench, expansions: list[weakref.ref[torch.Tensor]]) -> None:
    for picture in range(50):  # as in a job of 50 batches, each with rows of its own
        style.cursor.begin_step([1], 1, 1, picture)
        style.unet(X[:2], timesteps=torch.full((2,), 500.0), context=TEXT[:2])
        assert sum(known() is not None for known in expansions) <= 16 * SITES
    assert len(expansions) == 50 * SITES


def test_unconditional_rows_see_nothing_but_c0(adapter: Adapter) -> None:
    bench = Bench(adapter, {STYLE: 1.0})
    with bench.injection:
        styled = bench.step([1], [1, 1])[1:]
    with bench.inject_sources(adapter, [Source({STYLE: 1.0}, SEEN * -3, NOTHING)]):
        assert torch.equal(bench.step([1], [1, 1])[1:], styled)


def test_outside_its_window_it_is_bit_identical(adapter: Adapter) -> None:
    bench = Bench(adapter, {STYLE: 1.0}, Schedule(0.0, 0.5))
    plain = bench.step([1], timestep=100.0)
    with bench.injection:
        assert torch.equal(bench.step([1], timestep=100.0), plain)
        assert not torch.equal(bench.step([1], timestep=900.0), plain)
        inside = bench.step([1], timestep=900.0)
    always = Bench(adapter, {STYLE: 1.0})
    with always.injection:
        torch.testing.assert_close(always.step([1], timestep=900.0), inside)


def test_keys_and_values_follow_the_query_s_dtype(adapter: Adapter) -> None:
    bench = Bench(adapter, {STYLE: 1.0})
    with bench.injection:
        single = bench.step([1])
        bench.unet.to(torch.bfloat16)
        bench.cursor.begin_step([1], 1, 1)
        half = bench.unet(X[:2].bfloat16(), timesteps=torch.full((2,), 500.0), context=TEXT[:2].bfloat16())
    assert half.dtype is torch.bfloat16
    torch.testing.assert_close(half.float(), single, rtol=0.1, atol=0.1)


def test_a_stored_failure_is_raised_at_the_next_call(style: Bench) -> None:
    style.injection.fail(RowsError("what happened"))
    with pytest.raises(RowsError, match="what happened"):
        style.step([1])


def test_a_site_called_with_other_rows_is_an_error(style: Bench) -> None:
    site = next(site for site in enumerate_sites(style.unet) if site.block is STYLE)
    style.step([1])
    with pytest.raises(RowsError, match="5 rows where the UNet's call has 2 rows"):
        site.attention(torch.randn(5, 5, site.width), TEXT[:5])


@pytest.mark.parametrize("fails", [False, True])
def test_a_call_within_a_call_leaves_the_outer_s_rows(adapter: Adapter, fails: bool) -> None:
    """Another extension's hook may run the UNet, with other rows, before the outer call's attentions have ended."""
    bench, seen = Bench(adapter, {STYLE: 1.0, LAYOUT: 1.0}), []
    first, *_, last = [site for site in enumerate_sites(bench.unet) if site.block in (STYLE, LAYOUT)]

    def call_again(*_arguments: object) -> None:
        seen.append(len(bench.injection.call.rows))
        if len(seen) == 1:
            bench.cursor.begin_step([2], 2, 1)
            with contextlib.suppress(ZeroDivisionError):
                bench.unet(X[:3], timesteps=torch.full((3,), 500.0), context=TEXT[:3])

    def fail(*_arguments: object) -> None:
        if fails and len(seen) == 2:
            seen.append(0)
            raise ZeroDivisionError

    with bench.injection:
        wanted = bench.step([1, 1])
        first.attention.register_forward_pre_hook(call_again)
        last.attention.register_forward_pre_hook(fail)
        assert torch.equal(bench.step([1, 1]), wanted)
    assert seen[:2] == [4, 3]
    assert len(seen) == 2 + fails


def test_nan_in_the_adapter_is_refused(tmp_path) -> None:
    tensors = files.linear_adapter()
    bad = next(site for site in enumerate_sites(SmallUNet()) if site.block is STYLE)
    tensors[f"ip_adapter.{bad.adapter_id}.to_v_ip.weight"][0, 0] = float("nan")
    adapter = open_adapter(files.save_safetensors(tmp_path / "nan.safetensors", tensors))
    with pytest.raises(AdapterError, match=f"NaN.*{bad.name}"):
        Bench(adapter, {STYLE: 1.0})
    Bench(adapter, {LAYOUT: 1.0})  # unplanned sites are not even read
