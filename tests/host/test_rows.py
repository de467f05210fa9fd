"""Rows of the UNet calls in every branch of the denoiser: contract of the real host, section 5.2."""

from __future__ import annotations

import pytest

LONG = "word " * 20  # two chunks of tokens: the tiny tokenizer has one for each letter


def rows_by_call(recorder, step: int = 0) -> list[list[str]]:
    """The rows of each UNet call of one denoising step, named by their texts."""
    wanted, seen = [], -1
    calls = iter(recorder.calls)
    for name, _ in recorder.events:
        seen += name == "cfg_denoiser"
        if name == "unet":
            call = next(calls)
            if seen == step:
                wanted.append(call)
    return [recorder.classify(call) for call in wanted]


@pytest.mark.parametrize("batch_size", [1, 2, 3])
def test_prompt_rows_first_in_one_call(host, recorder, batch_size):
    host.txt2img(prompt=["a", "b", "c"][:batch_size], negative_prompt="bad", batch_size=batch_size, steps=1)
    texts = [f"c{i}" for i in range(batch_size)] + ["u0"] * batch_size
    assert rows_by_call(recorder) == [texts]


def test_and_rows_are_picture_by_picture(host, recorder):
    host.txt2img(prompt=["a AND b", "c AND d"], negative_prompt="bad", batch_size=2, steps=1)
    assert rows_by_call(recorder) == [["c0", "c1", "c2", "c3", "u0", "u0"]]


def test_pictures_may_have_different_numbers_of_parts(host, recorder):
    host.txt2img(prompt=["a", "b AND c AND d"], negative_prompt="bad", batch_size=2, steps=1)
    call = recorder.calls[0]
    assert rows_by_call(recorder) == [["c0", "c1", "c2", "c3", "u0", "u0"]]
    x = call.x
    assert (x[1] == x[2]).all()
    assert (x[0] == x[4]).all()
    assert (x[3] == x[5]).all()


def test_unbatched_calls_have_one_row_for_each_picture(host, recorder):
    host.shared.opts.batch_cond_uncond = False
    host.txt2img(prompt=["a AND b", "c AND d"], negative_prompt="bad", batch_size=2, steps=1)
    assert rows_by_call(recorder) == [["c0", "c1"], ["c2", "c3"], ["u0", "u0"]]


@pytest.mark.parametrize(("batched", "expected"), [(True, [["c0", "c1"], ["u0"]]), (False, [["c0"], ["c1"], ["u0"]])])
def test_unequal_lengths_split_prompt_and_negative(host, recorder, batched, expected):
    host.shared.opts.batch_cond_uncond = batched
    host.txt2img(prompt=f"{LONG} AND b", negative_prompt="bad", steps=1)
    assert rows_by_call(recorder) == expected
    assert recorder.calls[0].context.shape[1] == 2 * recorder.calls[-1].context.shape[1]


def test_many_long_rows_come_in_chunks_of_two_batches(host, recorder):
    host.txt2img(prompt=f"{LONG} AND b AND c", negative_prompt="bad", steps=1)
    assert rows_by_call(recorder) == [["c0", "c1"], ["c2"], ["u0"]]


@pytest.mark.parametrize("option", ["pad_cond_uncond", "pad_cond_uncond_v0"])
@pytest.mark.parametrize("prompts", [(LONG, "bad"), ("a", LONG)])
def test_padding_makes_one_call_again(host, recorder, option, prompts):
    setattr(host.shared.opts, option, True)
    host.txt2img(prompt=prompts[0], negative_prompt=prompts[1], steps=1)
    assert [call.rows for call in recorder.calls] == [2]


def test_ngms_leaves_out_the_negative_on_odd_steps(host, recorder):
    result = host.txt2img(negative_prompt="bad", s_min_uncond=100.0, steps=4)
    assert [call.rows for call in recorder.calls] == [2, 1, 2, 1]
    assert "NGMS: 100.0" in result.infotexts[0]


def test_ngms_on_all_steps(host, recorder):
    host.shared.opts.s_min_uncond_all = True
    host.txt2img(prompt="a AND b", s_min_uncond=100.0, steps=2)
    assert [call.rows for call in recorder.calls] == [2, 2]
    assert rows_by_call(recorder) == [["c0", "c1"]]


def test_skip_early_leaves_out_the_negative_at_first(host, recorder):
    host.shared.opts.skip_early_cond = 0.5
    host.txt2img(negative_prompt="bad", steps=4)
    assert [call.rows for call in recorder.calls] == [1, 1, 1, 2]


def test_skipped_rows_split_without_batching(host, recorder):
    host.shared.opts.batch_cond_uncond = False
    host.shared.opts.skip_early_cond = 1.0
    host.txt2img(prompt="a AND b", steps=1)
    assert rows_by_call(recorder) == [["c0"], ["c1"]]


def test_cfg_of_one_still_computes_the_negative(host, recorder):
    host.txt2img(cfg_scale=1.0, steps=1)
    assert [call.rows for call in recorder.calls] == [2]


def test_empty_negative_is_a_row_of_zeros(host, recorder):
    host.txt2img(negative_prompt="", steps=1)
    call = recorder.calls[0]
    assert call.rows == 2
    assert not call.context[1].any()
    assert not call.y[1, :1280].any()
    assert call.y[1, 1280:].any()


def test_editing_changes_the_text_of_a_row(host, recorder):
    host.txt2img(prompt="[a:b:0.5]", negative_prompt="bad", steps=4)
    contexts = [call.context[0] for call in recorder.calls]
    assert [bool((context == contexts[0]).all()) for context in contexts] == [True, True, True, False]


COUNTS = {
    "Euler": 5, "Euler a": 5, "LMS": 5, "DPM++ 2M": 5, "DPM++ 2M SDE": 5, "LCM": 5, "Heun": 9, "DPM2": 9, "DPM2 a": 9,
    "DPM++ 2S a": 9, "DPM++ SDE": 9, "DDIM": 4, "PLMS": 5, "UniPC": 5,
}  # fmt: skip


@pytest.mark.parametrize(("sampler", "count"), COUNTS.items())
def test_denoiser_calls_of_five_steps(host, recorder, sampler, count):
    result = host.txt2img(sampler_name=sampler, steps=5)
    assert len(recorder.calls) == count
    assert recorder.named("cfg_denoiser")[-1]["params"].denoiser.total_steps == (10 if count == 9 else 5)
    assert f"Sampler: {sampler}" in result.infotexts[0]


def test_timesteps_are_floats_from_sigmas_and_whole_in_the_other_family(host, recorder):
    host.txt2img(sampler_name="Euler", scheduler="Karras", steps=4)
    assert recorder.calls[0].timesteps[0] == 999
    assert any(call.timesteps[0] % 1 for call in recorder.calls)
    recorder.clear()
    host.txt2img(sampler_name="DDIM", steps=4)
    assert [call.timesteps[0].item() for call in recorder.calls] == [751, 501, 251]
