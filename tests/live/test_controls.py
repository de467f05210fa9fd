"""The controls beyond the first screen, end to end: each does what it says, in every row of the batch."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from PIL import Image

from lib_instantstyle.params.style_params import controls, default_of
from tests.live.client import Answer, WebUI, encoded, largest_difference
from tests.tiny import pictures

OTHER = encoded(pictures.sunset())
BATCH = {"batch_size": 3, "prompt": "a house AND b c", "negative_prompt": "d"}
HIRES = {"enable_hr": True, "hr_scale": 2, "hr_upscaler": "Latent", "denoising_strength": 0.6}
LEFT, RIGHT = (0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 1.0, 1.0)


def mask(box: tuple[float, float, float, float], width: int = 64, height: int = 64) -> str:
    image = Image.new("L", (width, height), 0)
    left, top, right, bottom = box
    image.paste(255, (round(left * width), round(top * height), round(right * width), round(bottom * height)))
    return encoded(image)


def made(answer: Answer) -> list[bytes]:
    assert answer.status == 200, answer.body
    assert answer.styled
    return answer.pictures


@pytest.mark.parametrize("crop", ["squash", "pad", "tiles"])
def test_crops_differ(webui: WebUI, crop: str) -> None:
    wide = {"enabled": True, "image": encoded(pictures.sunset().resize((200, 90)))}
    assert made(webui.txt2img(wide | {"crop": crop})) != made(webui.txt2img(wide))


def test_every_way_to_combine_is_another(webui: WebUI, style: dict[str, Any]) -> None:
    modes = ["mean", "normalised mean", "concatenate", "add"]
    two = style | {"images": [OTHER], "weights": "1, 0.5"}
    results = [made(webui.txt2img(two | {"combine": mode}))[0] for mode in modes]
    assert len({*results, made(webui.txt2img(style))[0]}) == len(modes) + 1


def test_one_reference_a_picture_of_the_batch(webui: WebUI, style: dict[str, Any]) -> None:
    first, second = made(webui.txt2img(style, **BATCH)), made(webui.txt2img(style | {"image": OTHER}, **BATCH))
    cycled = made(webui.txt2img(style | {"images": [OTHER], "combine": "one per picture"}, **BATCH))
    assert cycled == [first[0], second[1], first[2]]


def test_one_reference_a_picture_goes_on_from_batch_to_batch(webui: WebUI, style: dict[str, Any]) -> None:
    fields = {"n_iter": 2}
    first, second = made(webui.txt2img(style, **fields)), made(webui.txt2img(style | {"image": OTHER}, **fields))
    cycled = made(webui.txt2img(style | {"images": [OTHER], "combine": "one per picture"}, **fields))
    assert cycled == [first[0], second[1]]


def test_a_layout_picture_of_its_own(webui: WebUI, style: dict[str, Any]) -> None:
    both = style | {"preset": "style + layout"}
    assert made(webui.txt2img(both | {"layout_image": OTHER})) != made(webui.txt2img(both))
    assert made(webui.txt2img(both | {"layout_image": style["image"]})) == made(webui.txt2img(both))


def test_a_layout_picture_without_its_block_is_left_out(webui: WebUI, style: dict[str, Any]) -> None:
    answer = webui.txt2img(style | {"layout_image": OTHER})
    assert made(answer) == made(webui.txt2img(style))
    assert "InstantStyle note: " in answer.infotexts[0]
    assert "the layout picture was left out" in answer.infotexts[0]
    assert "layout " not in re.search("InstantStyle reference: [^,]*", answer.infotexts[0])[0]


@pytest.mark.parametrize(
    "change", [{"negative_image": OTHER}, {"anti_layout": 2}, {"prompt_colours": 0.7}, {"subject_image": OTHER,
    "subject_weight": 0.2}], ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_each_further_control_acts(webui: WebUI, style: dict[str, Any], change: dict[str, Any]) -> None:
    assert made(webui.txt2img(style | change)) != made(webui.txt2img(style))


def test_anti_layout_and_negative_picture_need_guidance(webui: WebUI, style: dict[str, Any]) -> None:
    answer = webui.txt2img(style | {"anti_layout": 2}, cfg_scale=1)
    # At CFG 1 the WebUI still computes uncond + 1·(cond − uncond), whose rounding depends on the unconditional rows.
    assert largest_difference(made(answer), made(webui.txt2img(style, cfg_scale=1))) <= 1
    assert "what acts through CFG only did nothing: anti-layout" in answer.infotexts[0]


def test_img2img_keeps_its_input_picture(webui: WebUI, style: dict[str, Any]) -> None:
    fields = {"init_images": [encoded(pictures.sunset().resize((64, 64)))], "denoising_strength": 0.6}
    kept = style | {"subject_weight": 0.2}
    explicit = kept | {"subject_image": fields["init_images"][0]}
    assert made(webui.img2img(kept, **fields)) == made(webui.img2img(explicit, **fields))
    assert made(webui.img2img(kept, **fields)) != made(webui.img2img(style, **fields))
    assert "there is no subject picture" in webui.txt2img(kept).body["detail"]


@pytest.mark.parametrize("removal", ["project out", "mask"])
def test_removal_methods_differ(webui: WebUI, style: dict[str, Any], removal: str) -> None:
    request = style | {"content": "stripes, a flag:0.5", "content_strength": 1}
    assert made(webui.txt2img(request | {"removal": removal})) != made(webui.txt2img(request))


def test_curves(webui: WebUI, style: dict[str, Any], plain: list[bytes]) -> None:
    constant = made(webui.txt2img(style))
    assert made(webui.txt2img(style | {"curve": "0:1, 1:1"})) == constant
    assert made(webui.txt2img(style | {"curve": "fade out"})) != constant
    never = webui.txt2img(style | {"curve": "0:0, 1:0"})
    assert never.pictures == plain
    assert not never.styled


def test_the_hires_pass_has_a_curve_of_its_own(webui: WebUI, style: dict[str, Any]) -> None:
    first_only = made(webui.txt2img(style | {"passes": "first pass"}, **HIRES))
    assert made(webui.txt2img(style | {"hires_curve": "0:0, 1:0"}, **HIRES)) == first_only
    assert made(webui.txt2img(style | {"hires_curve": "fade out", "hires_start": 0.3}, **HIRES)) != first_only


@pytest.mark.parametrize("fields", [{}, BATCH, HIRES], ids=["one", "batch of 3 with AND", "hires"])
def test_regions_divide_the_picture(webui: WebUI, style: dict[str, Any], fields: dict[str, Any]) -> None:
    """Two halves with the same reference are the whole; with different references they are neither."""
    whole = made(webui.txt2img(style, **fields))
    same = style | {"images": [style["image"]], "masks": [mask(LEFT), mask(RIGHT)]}
    assert made(webui.txt2img(same, **fields)) == whole
    halves = style | {"images": [OTHER], "masks": [mask(LEFT), mask(RIGHT)]}
    rest = style | {"images": [OTHER], "masks": [mask(LEFT)]}
    assert made(webui.txt2img(halves, **fields)) == made(webui.txt2img(rest, **fields)) != whole


# Latent sizes by their remainder modulo 4, which decides how the UNet's strides round: those of 912×1144 (2, 3),
# 1080×1920 (3, 0), 832×1216 (0, 0), and of the last with hires ×1.25 (2, 2) and ×1.75 (2, 2) — at a tenth of the cost.
# The real sizes are in tests/unit/test_regions.py.
@pytest.mark.parametrize(
    ("width", "height", "scale"), [(80, 88, 1), (56, 64, 1), (72, 104, 1), (64, 96, 1.25), (64, 96, 1.75)]
)
def test_regions_fit_every_size(webui: WebUI, style: dict[str, Any], width: int, height: int, scale: float) -> None:
    fields: dict[str, Any] = {"width": width, "height": height}
    if scale != 1:
        fields |= HIRES | {"hr_scale": scale}
    white = made(webui.txt2img(style | {"masks": [mask((0, 0, 1, 1), width, height)]}, **fields))
    assert white == made(webui.txt2img(style, **fields))
    assert white != made(webui.txt2img(style | {"masks": [mask(LEFT, width, height)]}, **fields))


def test_a_mask_of_another_shape_is_stretched_and_told(webui: WebUI, style: dict[str, Any]) -> None:
    """A region is fractions of the picture: the left half is the left half, whatever shape it was painted at."""
    tall = webui.txt2img(style | {"masks": [mask(LEFT, 64, 128)]})
    assert made(tall) == made(webui.txt2img(style | {"masks": [mask(LEFT)]}))
    assert "the mask of reference 1 is 64×128 and was stretched to the picture's shape" in tall.infotexts[0]


def test_regions_follow_only_masked_inpainting(webui: WebUI, style: dict[str, Any]) -> None:
    """A square on the right is repainted: a region on the left never acts, one on the right acts everywhere."""
    fields = {
        "init_images": [encoded(pictures.sunset().resize((128, 128)))],
        "mask": mask((0.6, 0.3, 0.95, 0.65), 128, 128),
        "denoising_strength": 0.8,
        "inpaint_full_res": True,
        "inpaint_full_res_padding": 0,
        "mask_blur": 0,
    }
    unstyled = [webui.img2img(**fields).pictures for _ in range(2)][1]  # some WebUIs repeat the second one only
    assert made(webui.img2img(style | {"masks": [mask((0, 0, 0.4, 1), 128, 128)]}, **fields)) == unstyled
    right = made(webui.img2img(style | {"masks": [mask(RIGHT, 128, 128)]}, **fields))
    assert right == made(webui.img2img(style, **fields)) != unstyled


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": [OTHER] * 20}, "21 pictures were given where at most 8 fit"),
        ({"images": ["no picture"]}, "style reference 2"),
        ({"weights": "1, 2, 3"}, "3 weights for 1 references"),
        ({"weights": "one"}, "is not a number"),
        ({"weights": "0"}, "all 0"),
        ({"masks": [mask((0, 0, 0, 0))]}, "black throughout"),
        ({"masks": [None, mask(LEFT)]}, "a region mask for reference 2, but only 1"),
        ({"curve": "0:1, 0.5:1, 0.2:1"}, "out of order"),
        ({"curve": "sideways"}, "no point and no shape"),
        ({"content": "a cat:99"}, "must be between 0 and 3"),
        ({"preset": "custom", "blocks": "style.30:1"}, "has the layers 0 to 9"),
        ({"preset": "all blocks", "anti_layout": 1}, "takes over"),
        ({"combine": "mix"}, "must be one of: Blend"),
        ({"style": "no such style"}, "There is no saved style 'no such style'"),
        ({"reference": "layout nonsense"}, "is no hash of a picture"),
    ],
)
def test_mistakes_are_named(webui: WebUI, style: dict[str, Any], change: dict[str, Any], message: str) -> None:
    answer = webui.txt2img(style | change)
    assert answer.status == 422
    assert message in answer.body["detail"]


def test_an_empty_gallery_is_no_reference(webui: WebUI) -> None:
    assert "No reference picture" in webui.txt2img({"enabled": True, "images": []}).body["detail"]


def written(infotext: str) -> dict[str, Any]:
    """Read our part of an infotext back into a request, without any picture."""
    request: dict[str, Any] = {"enabled": True}
    for name in controls():
        found = re.search(rf'InstantStyle {name.replace("_", " ")}: ("(?:[^"\\]|\\.)*"|[^,\n]*)', infotext)
        if found and name != "enabled":
            text = json.loads(found[1]) if found[1].startswith('"') else found[1]
            request[name] = float(text) if isinstance(default_of(name), float) else text
    return request


def test_an_infotext_is_a_request(webui: WebUI, style: dict[str, Any]) -> None:
    """Everything set, then sent again from the infotext alone: the same picture."""
    request = style | {
        "images": [OTHER], "weights": "1, 0.5", "combine": "concatenate", "crop": "squash", "preset": "custom",
        "blocks": "style:1, layout:0.5, style.9:0", "layout_image": OTHER, "negative_image": OTHER,
        "subject_image": OTHER, "subject_weight": 0.1, "masks": [None, mask(LEFT)], "removal": "project out",
        "content": 'a "cat", x:0.5', "content_strength": 0.8, "prompt_colours": 0.3, "curve": "0:0.4, 0.3:1",
        "start": 0.05, "end": 0.95, "anti_layout": 0.5,
    }  # fmt: skip
    answer = webui.txt2img(request)
    again = written(answer.infotexts[0])
    assert not [name for name in again if controls()[name].pictures]
    repeated = webui.txt2img(again)
    assert made(repeated) == made(answer)
    assert repeated.infotexts == answer.infotexts
