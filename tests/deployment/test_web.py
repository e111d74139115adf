"""The page in a real browser, on files that people have, beside the checkpoint."""

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from chromium import PROGRAM, Chromium, served
from deployed_networks import pictures
from PIL import Image
from project import ROOT

from bisenet.deployment.description import Description
from bisenet.deployment.formats import web
from bisenet.errors import InputError
from bisenet.inference.predictor import Predictor
from bisenet.samples.images import read_image

HTML = "<img src=x onerror=\"document.title='broken in'\">"
PLAIN = "plain.test"  # a name of this machine that is not `localhost`, so browsers trust it with little
KINDS = ("rgb.png", "alpha.png", "palette.png", "grey.png", "turned.png", "odd.png", "lossless.webp")


@pytest.mark.parametrize(("channels", "bit_depth"), [(4, 8), (3, 16)])
def test_networks_of_pictures_that_no_browser_has_are_refused(source, tmp_path, channels, bit_depth):
    described = source.description.but(mean=(0.5,) * channels, bit_depth=bit_depth)
    with pytest.raises(InputError, match=f"{bit_depth} bits and {channels} channels; leave web out"):
        web.export(replace(source, description=described), tmp_path)


@pytest.fixture(scope="module")
def site(source, onnx_path, tmp_path_factory):
    """The exported folder, with the runtime that is in the cache."""
    if not (ROOT / ".cache" / web.TARBALL).is_file():
        pytest.skip(f"there is no .cache/{web.TARBALL}: npm pack {web.PACKAGE} --pack-destination .cache")
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.setattr(web, "to_onnx", lambda _: onnx.load(onnx_path))
        web.export(source, folder)
    return folder


def test_the_folder_holds_what_is_needed_and_nothing_else(site, source):
    here = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    page = {path.relative_to(web.PAGE).as_posix() for path in web.PAGE.rglob("*.*")}
    assert here == page | {"model.onnx", "description.json"} | {f"onnxruntime/{name}" for name in web.RUNTIME.values()}
    assert "Copyright (c) Microsoft" in (site / "onnxruntime" / "LICENSE.txt").read_text(encoding="utf-8")
    assert web.FORMAT.open(site / "model.onnx", "cpu", 1).description == source.description
    assert Description.from_json((site / "description.json").read_text(encoding="utf-8"), site) == source.description


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if PROGRAM is None:
        pytest.skip("there is no Chromium")
    program = Chromium(tmp_path_factory.mktemp("profile"), f"--host-resolver-rules=MAP {PLAIN} 127.0.0.1")
    yield program
    program.close()


@pytest.fixture(scope="module")
def address(site):
    described = json.loads((site / "description.json").read_text(encoding="utf-8"))
    described["classes"]["classes"][0]["name"] = HTML
    (site / "description.json").write_text(json.dumps(described), encoding="utf-8")
    with served(site) as address:
        yield address


@pytest.fixture
def page(browser, address):
    """The page, with the network loaded and nothing else, set to compute each picture at its own size."""
    before = len(browser.events)
    if browser.evaluate("location.href") != address:
        browser.open(address)
        ready(browser)
    browser.evaluate("at('clear').click(), at('all').click(), at('longest').value = '0'")
    yield browser
    thrown = [event for event in browser.events[before:] if event["method"] == "Runtime.exceptionThrown"]
    assert thrown == []


def ready(browser):
    browser.until("window.at = (id) => document.getElementById(id), at('status')?.textContent.startsWith('Computes')")


def files(folder):
    """Pictures of each of `KINDS`, beside what is none."""
    image, other = pictures(2)
    alpha = np.dstack([image, np.tile(np.arange(101, dtype=np.uint8), (67, 1))])  # clear on the left, never solid
    Image.fromarray(image).save(folder / "rgb.png")
    Image.fromarray(alpha).save(folder / "alpha.png")
    Image.fromarray(other).quantize(16).save(folder / "palette.png")
    Image.fromarray(other[..., 0]).save(folder / "grey.png", gamma=1.0)
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(other).save(folder / "turned.png", exif=turned)
    Image.fromarray(pictures(1, 33, 400)[0]).save(folder / "odd.png")
    Image.fromarray(alpha).save(folder / "lossless.webp", lossless=True, exact=True)
    (folder / "notes.jpg").write_text("no picture")
    (folder / "empty.png").touch()
    return [folder / name for name in ("notes.jpg", "empty.png", *KINDS)]


def saved_ids(browser, folder):
    """What a click on "Save ids" writes: (H, W)"""
    browser.call("Browser.setDownloadBehavior", session=None, behavior="allow", downloadPath=str(folder))
    before = set(folder.glob("*_ids.png"))
    browser.evaluate("at('save-ids').click()")
    (path,) = browser.wait_for(lambda: set(folder.glob("*_ids.png")) - before)
    return read_image(path)[..., 0], path.name


def test_the_page_sees_what_the_checkpoint_sees(page, address, checkpoint, tmp_path):
    page.choose_files("#files", *files(tmp_path))
    page.until(f"at('count').textContent === '{2 + len(KINDS)} of {2 + len(KINDS)} done, 2 failed'")
    assert "notes.jpg: is no picture" in page.evaluate("at('fault').textContent")  # the first is shown
    for place, name in enumerate(KINDS, 2):
        page.evaluate(f"at('thumbnails').querySelectorAll('button')[{place}].click()")
        stem = name.rsplit(".")[0]
        page.until(f"at('frame').ariaLabel === '{stem} and its classes' && !at('save-ids').disabled")
        image = read_image(tmp_path / name, channels=3)
        assert page.evaluate("at('computed').textContent") == f"{image.shape[1]} × {image.shape[0]}"
        ids, saved = saved_ids(page, tmp_path)
        assert saved == f"{stem}_ids.png"
        labels = Predictor.of(checkpoint, device=torch.device("cpu")).labels(torch.from_numpy(image[None]))[0].numpy()
        assert (ids == checkpoint.table.to_raw(labels)).mean() > 0.9999, name
    assert {url for url in page.requests() if not url.startswith((address, f"blob:{address}", "data:,"))} == set()


def test_threads_and_a_policy_that_lets_nothing_out(page, address):
    assert page.evaluate("crossOriginIsolated") and "WebAssembly" in page.evaluate("at('status').textContent")
    fetched = "fetch('{}').then(() => 'went out', () => 'kept in')"
    with served(ROOT / "docs", ("Access-Control-Allow-Origin", "*")) as elsewhere:  # which would let anybody in
        for place in ("page", page.worker("/worker.js")):
            assert page.evaluate(fetched.format(elsewhere), place) == "kept in"
            assert page.evaluate(fetched.format(address), place) == "went out"


def test_another_page_of_the_same_server_is_left_alone(page, site, address):
    (site / "another.html").write_text("<!doctype html><title>another</title>", encoding="utf-8")
    page.open(f"{address}another.html")
    assert page.evaluate("document.title") == "another" and not page.evaluate("crossOriginIsolated")
    page.open("about:blank")
    page.open(f"{address}another.html")
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then((found) => found.length)") == 0


def test_names_are_text_and_the_keyboard_reads_classes(page, checkpoint, tmp_path):
    page.choose_files("#files", *files(tmp_path)[2:3])
    page.until("!at('save-ids').disabled")
    assert page.evaluate("at('classes').querySelector('.name').textContent") == HTML
    assert page.evaluate("document.title") == "Segmentation"
    labels = Predictor.of(checkpoint, device=torch.device("cpu")).labels(torch.from_numpy(pictures(1)[0][None]))[0]
    page.evaluate("at('frame').focus()")
    x, y = 50, 33  # the middle
    for key, right, down in [("Right", 10, 0), ("Up", 0, -10), ("Up", 0, -10), *[("Left", -10, 0)] * 4]:
        page.call("Input.dispatchKeyEvent", type="keyDown", key=f"Arrow{key}", modifiers=8)  # with Shift
        x, y = x + right, y + down
        label = int(labels[y, x])
        name = HTML if label == 0 else " ".join(checkpoint.table.names[label].split())
        assert page.evaluate("at('readout').textContent") == f"{name} · id {7 + label} · x {x}, y {y}"
    shares = page.evaluate("[...document.querySelectorAll('.share')].map((share) => share.textContent)")
    expected = [(labels == train_id).float().mean().item() for train_id in range(5)]
    assert shares == [f"{share:.1%}".replace("%", " %") if share else "" for share in expected]


def test_hidden_classes_are_clear(page, tmp_path):
    page.choose_files("#files", *files(tmp_path)[2:3])
    page.until("!at('save-ids').disabled")
    clear = """(() => { const { width, height } = at('overlay');
        const { data } = at('overlay').getContext('2d').getImageData(0, 0, width, height);
        return data.filter((value, place) => place % 4 === 3 && value === 0).length / width / height })()"""
    assert page.evaluate(clear) == 0
    page.evaluate("at('classes').querySelector('input').click()")
    hidden = page.evaluate(clear)
    assert page.evaluate("document.querySelector('.share').textContent") == f"{100 * hidden:.1f} %"
    page.evaluate("at('none').click()")
    assert page.evaluate(clear) == 1


def test_a_smaller_side_is_computed_and_ids_have_the_picture_s_size(page, tmp_path):
    Image.fromarray(pictures(1, 700, 1400)[0]).save(tmp_path / "large.png")
    page.evaluate("at('longest').value = '512'")
    page.choose_files("#files", tmp_path / "large.png")
    page.until("!at('save-ids').disabled")
    assert page.evaluate("at('computed').textContent") == "512 × 256"
    assert saved_ids(page, tmp_path)[0].shape == (700, 1400)


def test_the_camera_is_shown_until_it_is_closed(page):
    page.evaluate("at('longest').value = '512'; at('camera').click()")
    page.until("at('computed').textContent === '512 × 384' || at('computed').textContent === '512 × 288'")
    page.evaluate("window.frames = 0; new MutationObserver(() => frames++).observe(at('time'), { childList: true })")
    page.until("frames > 2")
    assert page.evaluate("at('camera').textContent") == "Close camera"
    page.evaluate("at('camera').click()")
    assert page.evaluate("at('camera').textContent") == "Open camera" and not page.evaluate("at('save-ids').disabled")


def test_a_clip_plays(page, tmp_path):
    pytest.importorskip("av", reason="PyAV writes the clip")
    from made_clips import make_clip

    page.choose_files("#files", make_clip(tmp_path / "clip.webm", codec="libvpx-vp9"))
    page.until("!at('clip').hidden && at('size').textContent === '64 × 48'")
    page.evaluate("at('seek').value = 0.5, at('seek').oninput()")
    page.until("at('place').textContent.startsWith('0:00 of 0:01') && at('seek').value > 0.4")
    page.evaluate("at('play').click()")
    page.until("at('seek').value > 0.8")


def noise(number, width, height):
    return np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_a_clip_that_does_not_say_how_long_it_is(page, tmp_path):
    """It is too large to be read at once, whereupon a browser would know."""
    pytest.importorskip("av", reason="PyAV writes the clip")
    from made_clips import make_clip

    large = {"b": "80M", "qmin": "0", "qmax": "4", "deadline": "realtime", "cpu-used": "16"}
    clip = {"codec": "libvpx", "size": (640, 480), "draw": noise, "coding": large, "writing": {"live": "1"}}
    times = range(0, 60 * 1800, 1800)
    page.choose_files("#files", make_clip(tmp_path / "live.webm", times, **clip))
    page.until("!at('clip').hidden && at('size').textContent === '640 × 480'")
    page.until("!at('seek').disabled && at('place').textContent.endsWith(' of 0:01')")
    page.evaluate("at('seek').value = 0.5, at('seek').oninput()")
    page.until("at('place').textContent.startsWith('0:00 of 0:01') && at('seek').value > 0.4")


def test_where_browsers_trust_a_server_with_little_one_thread_does(browser, address, tmp_path):
    plain = address.replace("127.0.0.1", PLAIN)
    browser.open(plain)
    ready(browser)
    assert browser.evaluate("at('status').textContent") == "Computes in WebAssembly, 1 thread"
    browser.evaluate("at('camera').click()")
    assert "needs https" in browser.until("at('fault').textContent")
    browser.choose_files("#files", *files(tmp_path)[2:4])
    browser.until("at('count').textContent === '2 of 2 done'")


def test_webgpu_that_fails_gives_way_to_webassembly(browser, address, tmp_path):
    browser.open(f"{address}?device=webgpu")
    ready(browser)
    assert "WebAssembly, 2 threads, not WebGPU: " in browser.evaluate("at('status').textContent")


def test_a_damaged_network_is_told(browser, site, address):
    whole = (site / "model.onnx").read_bytes()
    (site / "model.onnx").write_bytes(whole[: len(whole) // 2])
    try:
        browser.open(address)
        assert "The network cannot be opened" in browser.until("document.getElementById('fault').textContent")
    finally:
        (site / "model.onnx").write_bytes(whole)
        browser.open("about:blank")


def test_the_page_s_network_has_the_form_that_the_page_wants(source):
    asked = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(web, "runtime_files", lambda _: {})
        patch.setattr(web, "to_onnx", lambda other: asked.append(other.description) or onnx.ModelProto())
        patch.setattr(web, "write_bytes", lambda *_: None)
        patch.setattr(web, "write_text", lambda *_: None)
        web.export(replace(source, description=source.description.but(input="float32", output="logits")), ROOT)
    assert [(description.input, description.output) for description in asked] == [("uint8", "labels")]
