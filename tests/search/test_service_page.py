"""The page in a real browser: Chromium without a window, driven by Playwright. Skipped, and told, where there is none.

Every test also asserts that no request left the service and that nothing went wrong in the console.
"""

import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seehear.search.service.settings import Settings
from tests.search import served

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="page test: no Chromium here (apt install chromium)")
FLAGS = ("--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--mute-audio")
KNOWS = "It knows generated sounds and pictures only."
TOKEN = "a-token-of-some-length"
HIT = "#grid .clip:not(.waiting)"


@pytest.fixture(scope="module")
def address(embedded_table: Path) -> Iterator[str]:
    with served.running(embedded_table, Settings(searches_per_minute=10_000), KNOWS) as port:
        yield f"http://127.0.0.1:{port}/"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=BROWSER, args=list(FLAGS))
        yield found
        found.close()


class Watched:
    """A page that is watched: `wrong` collects what must not happen."""

    def __init__(self, browser: Any, address: str, **options: Any):
        self.context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        self.page, self.wrong, self.address = self.context.new_page(), [], address
        self.page.set_default_timeout(15_000)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.context.on("request", self._asked)

    def _said(self, message: Any) -> None:
        expected = "the server responded with a status of 4" in message.text  # how a browser tells a refusal
        if message.type in ("error", "warning") and not expected:
            self.wrong.append(message.text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.address, "blob:" + self.address, "data:")):
            self.wrong.append(request.url)

    def open(self, path: str = "", wait: str = HIT) -> Any:
        self.page.goto(self.address + path)
        self.page.wait_for_selector(wait)
        return self.page


@pytest.fixture
def watched(browser: Any, address: str) -> Iterator[Watched]:
    found = Watched(browser, address)
    yield found
    found.context.close()
    assert found.wrong == []


def _upload(page: Any, data: bytes, name: str = "tone.wav", kind: str = "audio/wav") -> None:
    page.set_input_files("#file", {"name": name, "mimeType": kind, "buffer": data})


def _until(page: Any, expression: str, seconds: float = 15.0) -> None:
    """Wait until a JavaScript expression holds; Playwright's way evaluates text, which the page's policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(20)


def _plays(page: Any, selector: str) -> None:
    """The clip's video or sound has data, and its time goes on."""
    _until(page, f"(document.querySelector('{selector}') || {{}}).readyState >= 2")
    _until(page, f"(document.querySelector('{selector}') || {{}}).currentTime > 0.05")


def _names(page: Any) -> list[str]:
    return page.eval_on_selector_all(HIT, "cards => cards.map((card) => card.dataset.key)")


def test_the_gallery_shows_the_collection_and_what_the_model_knows(watched: Watched) -> None:
    page = watched.open()
    assert page.locator("#knows").inner_text() == KNOWS
    assert page.locator(HIT).count() == 24
    assert page.locator("#count").inner_text() == "24 clips"
    _until(page, "[...document.querySelectorAll('#grid img')].slice(0, 5).every((one) => one.naturalWidth > 0)")
    page.locator("#label").select_option(index=1)
    _until(page, "document.querySelector('#count').textContent !== '24 clips'")
    page.locator("#text").fill("no such words")
    page.wait_for_selector("#nothing:not([hidden])")
    page.get_by_role("button", name="Clear the filters").click()
    _until(page, "document.querySelector('#count').textContent === '24 clips'")


def test_a_file_is_asked_with_and_a_hit_plays(watched: Watched) -> None:
    page = watched.open()
    with page.expect_response("**/api/search") as caught:
        _upload(page, served.wav(2.0))
    page.wait_for_selector("#query:not([hidden])")
    page.wait_for_selector("#grid.found")
    answer = caught.value.json()
    assert _names(page) == [hit["key"] for hit in answer["hits"]]
    first = page.locator(HIT).first
    assert first.locator(".score").inner_text() == f"{answer['hits'][0]['score']:.3f}"
    assert page.locator("#query h2").inner_text() == "tone.wav"
    first.locator(".start").click()
    _plays(page, "#grid video, #grid audio")
    first.locator(".start").click()
    assert page.locator("#grid video, #grid audio").count() == 0
    page.locator("#query [data-value=image]").click()
    _until(page, "location.hash.includes('target=image')")
    page.go_back()
    _until(page, "location.hash.includes('target=audio')")


def test_a_clip_is_asked_with_and_shows_where(watched: Watched) -> None:
    page = watched.open()
    label = page.locator(HIT).nth(3).locator(".title").inner_text()
    page.locator(HIT).nth(3).get_by_role("button", name="Goes with").click()
    page.wait_for_selector("#grid.found")
    assert page.locator("#query h2").inner_text() == label
    assert re.search(r"by=audio&target=image", page.url)
    assert page.get_by_text(re.compile(r"^at \d+\.\d s of file\d+\.mp4$")).count() > 0
    page.locator("#where").check()
    page.wait_for_selector(".heat")
    assert "cosines from" in page.locator(".heat").first.get_attribute("aria-label")
    page.locator("#where").uncheck()
    _until(page, "[...document.querySelectorAll('.heat')].every((one) => one.hidden)")
    page.get_by_role("button", name="Close this query").click()
    _until(page, "document.querySelector('#count').textContent === '24 clips'")


def test_the_map_plays_what_is_clicked(watched: Watched) -> None:
    page = watched.open("#map", wait="#legend button")
    canvas = page.locator("#map-canvas")
    box = canvas.bounding_box()
    place = page.evaluate("""async () => {
      const found = await (await fetch("/api/map")).json(), canvas = document.getElementById("map-canvas");
      const [width, height] = [canvas.clientWidth, canvas.clientHeight], side = Math.min(width, height) - 52;
      const [x, y] = found.points[7];
      return [(x - 0.5) * side + width / 2, (y - 0.5) * side + height / 2, found.keys[7]]; }""")
    page.mouse.click(box["x"] + place[0], box["y"] + place[1])
    page.wait_for_selector("#map-card .clip")
    assert page.locator("#map-card .clip").get_attribute("data-key") == place[2]
    _plays(page, "#map-card video, #map-card audio")
    canvas.focus()
    moved = False
    for key in ("ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown"):
        page.keyboard.press(key)
        page.wait_for_timeout(60)
        moved = moved or page.locator("#map-card .clip").get_attribute("data-key") != place[2]
    assert moved
    painted = "document.getElementById('map-canvas').toDataURL()"
    before = page.evaluate(painted)
    page.locator("#legend button").first.click()
    assert page.evaluate(painted) != before
    shapes = page.eval_on_selector_all("#legend canvas", "all => all.map((one) => one.toDataURL())")
    assert len(set(shapes)) == len(shapes)


def test_what_goes_wrong_is_said_on_the_page(watched: Watched) -> None:
    page = watched.open()
    _upload(page, b"no media at all", "notes.wav")
    page.wait_for_selector("#alert:not([hidden])")
    text = page.locator("#alert").inner_text()
    assert "Not a media file: a text file." in text
    assert "Expected: mp4" in text
    page.keyboard.press("Escape")
    assert page.locator("#alert").is_hidden()
    _upload(page, served.wav(1.0, 0.0), "silent.wav")
    page.wait_for_selector("#alert:not([hidden])")
    assert "silence" in page.locator("#alert").inner_text()
    page.evaluate("""() => { const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(65 * 1024 * 1024)], "huge.wav"));
      window.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })); }""")
    page.get_by_text("huge.wav has 65 MiB").wait_for()
    assert page.locator(HIT).count() == 24


def test_a_busy_service_is_asked_again(watched: Watched) -> None:
    page, times = watched.open(), []

    def busy(route: Any) -> None:
        times.append(route.request.url)
        if len(times) == 1:
            error = {"error": {"code": "busy", "found": "busy", "request_id": "0"}}
            route.fulfill(status=429, headers={"Retry-After": "1"}, body=json.dumps(error))
        else:
            route.continue_()

    page.route("**/api/search?*", busy)
    page.locator(HIT).first.get_by_role("button", name="Sounds like").click()
    page.get_by_text("The service is busy. Trying again").wait_for(state="attached")
    page.wait_for_selector("#grid.found")
    assert len(times) == 2


def test_sound_is_recorded_and_asked_with(watched: Watched) -> None:
    page = watched.open()
    page.keyboard.press("r")
    page.wait_for_selector("#recording:not([hidden])")
    _until(page, "parseFloat(document.querySelector('#clock').textContent) > 1.2")
    with page.expect_request("**/api/search") as caught:
        page.locator("#record-stop").click()
    assert caught.value.method == "POST"
    page.wait_for_selector("#grid.found")
    assert page.locator("#query h2").inner_text() == "recording.wav"
    _until(page, "document.querySelector('audio.preview').duration > 1")


def test_a_refused_microphone_is_explained(watched: Watched) -> None:
    watched.page.add_init_script(
        "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError'))"
    )
    page = watched.open()
    page.locator("#record").click()
    page.get_by_text("The browser may not use the microphone.").wait_for()


def test_the_keyboard_reaches_everything(watched: Watched) -> None:
    page = watched.open()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "text"
    there = page.locator("#grid .clip:visible").count()
    page.keyboard.type("no such word")
    page.wait_for_selector("#grid .clip:not([hidden])", state="detached")
    page.keyboard.press("Escape")
    page.wait_for_selector("#grid .clip:not([hidden])")
    assert (page.locator("#text").input_value(), page.locator("#grid .clip:visible").count()) == ("", there)
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")
    place = "[...document.querySelectorAll('#grid .start')].indexOf(document.activeElement)"
    assert page.evaluate(place) == 0
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    columns = page.evaluate("getComputedStyle(document.getElementById('grid')).gridTemplateColumns.split(' ').length")
    assert page.evaluate(place) == 1 + columns
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert float(outline.removesuffix("px")) >= 2
    page.keyboard.press("Enter")
    _plays(page, "#grid video, #grid audio")
    page.keyboard.press("Escape")
    assert page.locator("#grid video, #grid audio").count() == 0
    reached = set()
    watched.open()
    for _ in range(24):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert {"theme", "choose", "record", "text", "label", "split", "start", "to-map", "keys-button"} <= reached
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()


def test_every_control_has_a_name_and_every_input_a_label(watched: Watched) -> None:
    page = watched.open()
    page.locator(HIT).first.get_by_role("button", name="Sounds like").click()
    page.wait_for_selector("#grid.found")
    nameless = page.evaluate("""() => [...document.querySelectorAll("button, a, input, select")]
      .filter((one) => one.checkVisibility() && !one.ariaLabel && !one.textContent.trim() && !one.labels?.length)
      .map((one) => one.outerHTML)""")
    assert nameless == []
    assert page.locator("[role=status][aria-live=polite]").inner_text().endswith("results")


def test_a_phone_needs_no_sideways_scrolling(browser: Any, address: str) -> None:
    watched = Watched(browser, address, color_scheme="dark", has_touch=True, is_mobile=True)
    page = watched.page

    def fits() -> bool:
        wide = []
        for width in (360, 390):
            page.set_viewport_size({"width": width, "height": 760})
            wide.append(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))
        return max(wide) <= 0

    watched.open()
    assert fits()
    assert page.evaluate("getComputedStyle(document.getElementById('grid')).gridTemplateColumns.split(' ').length") == 2
    _upload(page, served.jpeg(), "picture.jpg", "image/jpeg")
    page.wait_for_selector("#grid.found")
    assert fits()
    watched.open("docs", wait=".endpoint")
    assert fits()
    watched.open("#map", wait="#legend button")
    assert fits()
    small = page.evaluate("""() => [...document.querySelectorAll("button")].filter((one) => one.checkVisibility())
      .map((one) => one.getBoundingClientRect()).filter((box) => box.height < 24 || box.width < 24).length""")
    assert small == 0
    watched.context.close()
    assert watched.wrong == []


def test_dark_and_light_follow_the_system_and_the_switch(watched: Watched) -> None:
    page = watched.open()
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.locator("#theme").click()
    dark = page.evaluate(ground)
    assert dark != light
    watched.open()
    assert page.evaluate(ground) == dark  # kept
    page.evaluate("localStorage.clear()")
    page.emulate_media(color_scheme="dark")
    watched.open()
    assert page.evaluate(ground) == dark
    page.locator("#theme").click()
    assert page.evaluate(ground) == light


def test_text_of_the_collection_never_becomes_markup(watched: Watched) -> None:
    hostile = '<img src=x onerror="document.title=\'taken\'"><script>document.title="taken"</script>'

    def change(route: Any) -> None:
        answer = route.fetch()
        body = answer.json()
        for clip in body["clips"]:
            clip |= {"labels": [hostile], "caption": hostile, "file": hostile, "name": hostile}
        route.fulfill(response=answer, json=body)

    watched.page.route("**/api/clips?*", change)
    page = watched.open()
    assert page.locator(HIT).first.locator(".title").inner_text() == hostile
    assert "taken" not in page.title()
    assert page.locator("#grid script, #grid img[src=x]").count() == 0


def test_the_policy_stops_what_is_not_ours(browser: Any, address: str) -> None:
    watched = Watched(browser, address)
    page = watched.open()
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = true'}))"
    )
    page.evaluate("document.body.setAttribute('onclick', 'window.ran = true')")
    page.locator("body").click(position={"x": 2, "y": 2})
    assert page.evaluate("window.ran") is None
    blocked = page.evaluate("fetch('https://example.org/').then(() => false, () => true)")
    assert blocked
    watched.context.close()


def test_the_page_asks_for_the_token(browser: Any, embedded_table: Path) -> None:
    with served.running(embedded_table, Settings(token=TOKEN)) as port:
        watched = Watched(browser, f"http://127.0.0.1:{port}/")
        page = watched.open(wait="#door[open]")
        page.locator("#token").fill("wrong")
        page.keyboard.press("Enter")
        page.get_by_text("This is not the token.").wait_for()
        page.locator("#token").fill(TOKEN)
        page.keyboard.press("Enter")
        page.wait_for_selector(HIT)
        _until(page, "[...document.querySelectorAll('#grid img')].slice(0, 3).every((one) => one.naturalWidth > 0)")
        watched.context.close()
        assert watched.wrong == []


def test_the_interface_page_lists_every_endpoint(watched: Watched) -> None:
    page = watched.open("docs", wait=".endpoint")
    described = page.evaluate("fetch('/openapi.json').then((answer) => answer.json())")
    count = sum(len(methods) for methods in described["paths"].values())
    assert page.locator(".endpoint").count() == count
    assert page.get_by_text("which vectors to search among").count() > 0
