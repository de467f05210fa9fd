"""What the host offers beside jobs: turns, descriptions, files of the page, parameters in pictures."""

from __future__ import annotations

import base64
import io
import threading
import time

import pytest
from fastapi.exceptions import HTTPException
from PIL import Image, PngImagePlugin

INFOTEXT = "a house\nSteps: 2, Sampler: Euler, Seed: 1"


# --- turns ------------------------------------------------------------------------------------------------


def test_turns_are_granted_in_order(host):
    from modules.fifo_lock import FIFOLock

    lock, order = FIFOLock(), []

    def work(number: int) -> None:
        with lock:
            order.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    with lock:
        assert not lock.acquire(blocking=False)
        for thread in threads:
            thread.start()
            time.sleep(0.02)
    for thread in threads:
        thread.join()
    assert order == list(range(5))


def test_a_queued_call_waits_hands_on_what_it_returns_and_may_raise(host):
    from modules import call_queue

    assert call_queue.wrap_queued_call(lambda a, b: a + b)(1, b=2) == 3
    with pytest.raises(ZeroDivisionError):
        call_queue.wrap_queued_call(lambda: 1 / 0)()
    assert call_queue.queue_lock.acquire(blocking=False)
    call_queue.queue_lock.release()


def test_a_job_of_the_page_names_itself_and_tells_its_time(host):
    from modules import call_queue

    state = host.shared.state
    seen = []

    def job(*args: str) -> tuple:
        seen.append((state.job, args, call_queue.queue_lock.acquire(blocking=False)))
        return "picture", "log"

    picture, log = call_queue.wrap_gradio_gpu_call(job)("task(x)", "y")
    assert seen == [("task(x)", ("task(x)", "y"), False)]
    assert picture == "picture"
    assert log.startswith("log<div class='performance'>")
    assert state.job == ""


@pytest.mark.parametrize(("extra", "before"), [(None, [None, ""]), ([1], [1])])
def test_an_exception_of_a_page_s_handler_becomes_its_last_output(host, extra, before, capsys):
    from modules import call_queue

    outputs = call_queue.wrap_gradio_gpu_call(lambda: 1 / 0, extra_outputs=extra)()
    assert list(outputs[:-1]) == before
    assert outputs[-1].startswith("<div class='error'>ZeroDivisionError: division by zero</div>")
    assert "Error completing request" in capsys.readouterr().err
    assert call_queue.queue_lock.acquire(blocking=False)
    call_queue.queue_lock.release()


# --- descriptions -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "colour", "word"), [("RGB", "#2040d0", "blue"), ("RGBA", "#d02010", "red"), ("L", 250, "white")]
)
def test_descriptions_name_the_colour(host, mode, colour, word):
    answer = host.shared.interrogator.interrogate(Image.new(mode, (32, 32), colour))
    assert answer == f"a mostly {word} picture, evenly lit"


@pytest.mark.parametrize(
    ("turn", "light"), [(0, "lit from below"), (90, "lit from the right"), (180, "lit from above")]
)
def test_descriptions_name_the_light(host, turn, light):
    picture = Image.linear_gradient("L").rotate(turn)
    assert host.shared.interrogator.interrogate(picture).endswith(light)


def test_a_failing_description_says_so_in_its_text(host, monkeypatch, capsys):
    from modules.interrogate import FAILING

    monkeypatch.setenv(FAILING, "1")
    assert "<error>" in host.shared.interrogator.interrogate(Image.new("RGB", (8, 8)))
    assert "Error interrogating" in capsys.readouterr().err
    assert host.shared.state.job == ""


def test_descriptions_over_the_api(host):
    from modules.api import jobs, models
    from modules.api.pictures import encode_pil_to_base64

    image = encode_pil_to_base64(Image.new("RGBA", (8, 8), "#2040d0ff")).decode()
    assert "blue" in jobs.interrogate(models.InterrogateRequest(image=image)).caption
    with pytest.raises(HTTPException):
        jobs.interrogate(models.InterrogateRequest(image=image, model="nobody"))


# --- files of the page ------------------------------------------------------------------------------------


def test_pictures_are_opened_only_from_the_page_s_own_files(host, tmp_path):
    from modules.infotext_utils import image_from_url_text
    from modules.ui_tempdir import register_tmp_file

    path = tmp_path / "shown.png"
    Image.new("RGB", (8, 8), "red").save(path)
    entry = {"name": f"{path}?123.4", "data": None, "is_file": True}
    with pytest.raises(AssertionError, match="outside of allowed directories"):
        image_from_url_text(entry)
    register_tmp_file(host.shared.demo, entry["name"])
    assert image_from_url_text([entry]).size == image_from_url_text(entry).size == (8, 8)
    assert image_from_url_text(None) is image_from_url_text([]) is None
    data = "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()
    assert image_from_url_text(data).getpixel((0, 0)) == (255, 0, 0)


def test_saved_pictures_are_shown_from_where_they_are(host, tmp_path):
    from modules.ui_tempdir import check_tmp_file, save_pil_to_file

    picture = Image.new("RGB", (8, 8))
    picture.info["parameters"] = INFOTEXT
    new = save_pil_to_file(None, picture, dir=str(tmp_path))
    assert Image.open(new).info["parameters"] == INFOTEXT
    picture.already_saved_as = new
    shown = save_pil_to_file(None, picture, dir=str(tmp_path))
    assert shown.startswith(f"{new}?")
    assert check_tmp_file(host.shared.demo, shown)


# --- parameters in pictures -------------------------------------------------------------------------------


def reopened(image: Image.Image, kind: str, **options: object) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return Image.open(buffer)


@pytest.mark.parametrize("encode", [lambda t: b"UNICODE\0" + t.encode("utf-16-be"), lambda t: t.encode()])
def test_parameters_of_a_jpeg_are_its_user_comment(host, encode):
    from modules.images import read_info_from_image

    exif = Image.Exif()
    exif[0x8769] = {0x9286: encode(INFOTEXT)}
    found, items = read_info_from_image(reopened(Image.new("RGB", (8, 8)), "JPEG", exif=exif, dpi=(72, 72)))
    assert found == INFOTEXT
    assert items == {}


def test_parameters_and_other_text_of_a_png(host):
    from modules.images import read_info_from_image

    text = PngImagePlugin.PngInfo()
    text.add_text("parameters", INFOTEXT)
    text.add_text("other", "kept")
    assert read_info_from_image(reopened(Image.new("RGB", (8, 8)), "PNG", pnginfo=text)) == (
        INFOTEXT,
        {"other": "kept"},
    )
    assert read_info_from_image(Image.new("RGB", (8, 8))) == (None, {})
