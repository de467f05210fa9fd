"""How script files are executed, and what Reload UI does."""

from __future__ import annotations

import sys

from tests.host.inprocess import InProcess


def test_script_files_are_anonymous_and_have_their_root_on_the_path_only_while_loading(host, recorder, probe_extension):
    host.reload()
    details = recorder.named("script file")[0]
    assert details == {
        "name": "probe.py",
        "importable": False,
        "basedir": str(probe_extension),
        "on_path": True,
    }
    assert str(probe_extension) not in sys.path


def test_reload_runs_scripts_again_but_not_their_packages(host, recorder):
    import lib_probe

    before = lib_probe.loaded
    host.reload()
    assert sys.modules["lib_probe"] is lib_probe
    assert lib_probe.loaded == before + 1


def test_reload_order(host, recorder):
    host.reload()
    ignored = ("ui", "on_after_component")
    order = [name for name in recorder.names if name not in ignored]
    assert order == ["script_unloaded second", "script_unloaded first", "script file", "before_ui"]


def test_controls_are_built_three_times_a_tab(host, recorder):
    host.reload()
    tabs = [details["tab"] for details in recorder.named("ui")]
    assert tabs.count("txt2img") == tabs.count("img2img") == 3
    assert recorder.named("ui")[0]["elem_id"] == "script_txt2img_probe_hooks_enabled"


def test_component_hook_fires_for_the_page_only(host, recorder):
    host.reload()
    assert [d["elem_id"] for d in recorder.named("on_after_component")] == ["txt2img_prompt", "img2img_prompt"]


def test_a_broken_script_is_reported_and_the_rest_loads(host: InProcess, probe_extension, tmp_path, capsys):
    broken = tmp_path / "broken"
    (broken / "scripts").mkdir(parents=True)
    (broken / "scripts" / "bad.py").write_text("import no_such_module_anywhere\n", encoding="utf-8")
    host.use_extensions(broken, probe_extension)
    assert "Error loading script: bad.py" in capsys.readouterr().err
    assert "probe: hooks" in host.runner().title_map


def test_switching_checkpoints_of_one_configuration_keeps_the_modules(host, recorder):
    unet = host.shared.sd_model.model.diffusion_model
    weight = unet.out[2].weight.clone()
    host.load("tiny-sdxl-b.safetensors")
    assert host.shared.sd_model.model.diffusion_model is unet
    assert (unet.out[2].weight != weight).any()
    assert len(recorder.named("model_loaded")) == 1


def test_another_configuration_brings_another_object(host, recorder):
    old = host.shared.sd_model
    host.load("tiny-refiner.safetensors")
    assert host.shared.sd_model is not old
    assert next(old.parameters()).device.type == "meta"
    host.load("tiny-sdxl.safetensors")


def test_a_resident_checkpoint_comes_back_without_callback(host, recorder):
    host.shared.opts.sd_checkpoints_limit = 2
    base = host.shared.sd_model
    host.load("tiny-refiner.safetensors")
    recorder.clear()
    host.load("tiny-sdxl.safetensors")
    assert host.shared.sd_model is base
    assert recorder.named("model_loaded") == []
    _forget_all_but(base)


def _forget_all_but(model: object) -> None:
    from modules import sd_models

    sd_models.model_data.loaded_sd_models[:] = [model]


def test_refiner_takes_over_in_the_loop(host, recorder):
    result = host.txt2img(steps=4, refiner_checkpoint="tiny-refiner.safetensors", refiner_switch_at=0.5)
    assert "Refiner: tiny-refiner" in result.infotexts[0]
    assert 0 < len(recorder.calls) < 4
    assert host.shared.sd_model.sd_checkpoint_info.model_name == "tiny-refiner"


def test_hires_checkpoint(host, recorder):
    host.txt2img(
        steps=2, enable_hr=True, hr_scale=1.5, denoising_strength=0.5, hr_checkpoint_name="tiny-sdxl-b.safetensors"
    )
    assert host.shared.sd_model.sd_checkpoint_info.model_name == "tiny-sdxl-b"
    assert len(recorder.calls) == 4
