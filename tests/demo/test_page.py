import json
import shutil
import socket
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nasnet_keras.demo.answers import answer, as_html, shown_picture
from nasnet_keras.demo.page import build_page, find_samples, gradio
from nasnet_keras.demo.serve import check_port, served
from nasnet_keras.serving import Prediction, load_predictor
from nasnet_keras.text.plain_text import markup

RUN = Path(__file__).parents[1] / "saved" / "classifier_run"


@pytest.fixture(scope="module")
def predictor():
    return load_predictor(RUN, top_k=3)


@pytest.fixture
def pictures(tmp_path):
    random = np.random.default_rng(0)
    for name in ("one.png", "two.png"):
        Image.fromarray(random.integers(0, 256, (8, 6, 3), np.uint8)).save(tmp_path / name)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    return [tmp_path / name for name in ("one.png", "broken.png", "two.png")]


def test_answers_are_the_predictors_and_a_bad_picture_spoils_no_other(predictor, pictures):
    answers = [answer(predictor, path) for path in pictures]
    expected = predictor.predict(pictures[2])
    assert answers[2].prediction.names == expected.names
    np.testing.assert_allclose(answers[2].prediction.scores, expected.scores, rtol=1e-6)
    assert answers[1].prediction is None and answers[1].error
    html = as_html(answers, 0.5)
    assert html.count("data:image/png") == 2 and markup(answers[1].error) in html
    assert f"{expected.scores[0]:.1%}" in html


def test_small_pictures_are_enlarged_by_whole_pixels_and_large_ones_fit():
    pixels = np.random.default_rng(0).integers(0, 256, (8, 6, 3), np.uint8)
    picture, scale = shown_picture(pixels, 256)
    assert scale == 32
    np.testing.assert_array_equal(np.asarray(picture)[16::32, 16::32], pixels)
    picture, scale = shown_picture(np.zeros((10, 5000, 3), np.uint8), 256)
    assert picture.width == 1280 and scale == 0.256


def test_boxes_below_the_score_are_left_out_and_names_are_text():
    from nasnet_keras.demo.answers import Answer

    boxes = np.asarray([[1.0, 1, 9, 9], [2, 2, 4, 4]])
    labels = np.asarray([0, 1])
    found = Prediction((10, 10), labels, ("<b>", "two"), np.asarray([0.9, 0.2]), boxes)
    shown = Answer("a&b", Image.new("RGB", (100, 100)), 10.0, found)
    html = as_html([shown], 0.5)
    assert (
        "&lt;b&gt;" in html and "two" not in html and "1 of 2 boxes" in html and "a&amp;b" in html
    )
    assert "2 of 2 boxes" in as_html([shown], 0.1)


def test_a_port_in_use_and_a_missing_library_are_one_line_each(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ValueError, match=f"cannot listen on port {port} of 127.0.0.1: Address"):
            check_port("127.0.0.1", port)
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(ValueError, match=r"pip install 'nasnet-keras\[demo\]'"):
        gradio()


def test_samples_are_the_runs_own_or_those_named(pictures, tmp_path):
    run = tmp_path / "run"
    (run / "samples").mkdir(parents=True)
    shutil.copy(pictures[0], run / "samples" / "a.png")
    for model in (run, run / "model.onnx"):
        assert find_samples(model) == [run / "samples" / "a.png"]
    assert find_samples(run, pictures[2]) == [pictures[2]]
    assert find_samples(tmp_path) == []


def test_a_bad_sample_is_one_line_with_its_path_once(predictor, pictures, tmp_path):
    pytest.importorskip("gradio")
    for path in (pictures[1], tmp_path / "nosuch"):
        with pytest.raises((OSError, ValueError)) as caught:
            build_page(predictor, [path])
        assert str(caught.value).count(str(path)) == 1


def test_the_page_answers_in_a_browser_and_asks_no_other_server(predictor, pictures):
    pytest.importorskip("gradio")
    webdriver = pytest.importorskip("selenium.webdriver")
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("needs chromium and chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with served(lambda: build_page(predictor, pictures[:1]), "127.0.0.1", port) as address:
        browser = webdriver.Chrome(options, webdriver.ChromeService(driver))
        try:
            wait = WebDriverWait(browser, 60)
            browser.get(address)
            find = lambda selector: browser.find_elements(By.CSS_SELECTOR, selector)  # noqa: E731
            wait.until(lambda _: find("#pictures input[type=file]"))
            find("#pictures input[type=file]")[0].send_keys("\n".join(map(str, pictures)))
            wait.until(lambda _: len(find(".answer")) == 3)
            text = browser.find_element(By.ID, "result").text
            events = [
                json.loads(row["message"])["message"] for row in browser.get_log("performance")
            ]
        finally:
            browser.quit()
    for path in (pictures[0], pictures[2]):
        assert path.name in text and f"{predictor.predict(path).scores[0]:.1%}" in text
    sent = [
        e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"
    ]
    hosts = {url.split("/")[2] for url in sent if url.startswith(("http", "ws"))}
    assert hosts == {f"127.0.0.1:{port}"}
