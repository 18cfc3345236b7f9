"""The page in a real browser: sorting, tracing, keyboard, phone, dark mode, no request, silent console."""

import csv
import itertools
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import pandas as pd
import pytest

from benchmark.report.build import build_report
from tests.benchmark.fake_results import MadeUp, filled_store

selenium = pytest.importorskip("selenium", reason="selenium is not installed; pip install -e .[browser]")

from selenium import webdriver  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.remote.webelement import WebElement  # noqa: E402
from selenium.webdriver.support.ui import Select, WebDriverWait  # noqa: E402

pytestmark = pytest.mark.slow

Browser = webdriver.Chrome
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
DRIVER = shutil.which("chromedriver")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of a page with a failed trial and a missing one."""
    folder = tmp_path_factory.mktemp("page")
    study = MadeUp(
        noise={"gaussian 30": 4.0},
        failed={("gaussian 15", 1): ("NotFiniteError", "the loss of epoch 0 is not finite")},
        absent={("gaussian 15", 2)},
    )
    build_report(filled_store(folder, study), (), folder / "out")
    return (folder / "out" / "index.html").as_uri()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("no Chromium with its driver here")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    quiet = "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", *quiet):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def open_page(chromium: Browser, page: str) -> Iterator[Callable[..., Browser]]:
    """Opens the page afresh; at the end the console must be silent and nothing may have been fetched."""

    def open_it(width: int = 1300, dark: bool = False) -> Browser:
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}  # nothing moves while it is clicked
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme, still]})
        chromium.get("about:blank")
        chromium.get_log("performance")
        chromium.get(page)
        return chromium

    yield open_it
    assert chromium.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in chromium.get_log("performance")]
    requested = {
        event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"
    }
    assert {url for url in requested if not url.startswith("data:")} <= {page}


def eventually(browser: Browser, condition: Callable[[], bool]) -> None:
    """A link is followed a little after it was clicked."""
    WebDriverWait(browser, 10).until(lambda _: condition())


def shown(browser: Browser) -> list[WebElement]:
    """The trials that are not hidden."""
    return [row for row in rows_of(browser.find_element(By.ID, "trial-table")) if row.is_displayed()]


def first_table(browser: Browser) -> WebElement:
    return browser.find_element(By.CSS_SELECTOR, ".study table.sortable")


def column(browser: Browser, number: int) -> list[str]:
    return [row.find_elements(By.CSS_SELECTOR, "th, td")[number].text for row in rows_of(first_table(browser))]


def rows_of(table: WebElement) -> list[WebElement]:
    return table.find_elements(By.CSS_SELECTOR, "tbody tr")


def heading(browser: Browser, name: str) -> tuple[WebElement, int]:
    found = first_table(browser).find_elements(By.CSS_SELECTOR, "thead th")
    (place,) = [i for i, heading in enumerate(found) if heading.text.split()[0] == name]
    return found[place], place


def test_headings_sort_by_mouse_and_by_keyboard(open_page: Callable[..., Browser]) -> None:
    browser = open_page()
    mae, place = heading(browser, "MAE")
    result, _ = heading(browser, "Result")
    before = column(browser, place)
    mae.find_element(By.TAG_NAME, "button").click()
    ascending = column(browser, place)
    assert ascending == sorted(before, key=lambda text: float(text.split()[0])) != before
    assert mae.get_attribute("aria-sort") == "ascending"
    mae.find_element(By.TAG_NAME, "button").send_keys(Keys.ENTER)
    assert column(browser, place) == ascending[::-1]
    assert mae.get_attribute("aria-sort") == "descending"
    result.find_element(By.TAG_NAME, "button").click()
    assert mae.get_attribute("aria-sort") is None
    assert column(browser, 0) == ["gaussian 15", "gaussian 30", "random"]


def test_missing_values_are_sorted_last(open_page: Callable[..., Browser]) -> None:
    browser = open_page()
    for _ in range(2):
        heading(browser, "Difference")[0].find_element(By.TAG_NAME, "button").click()
        assert column(browser, 0)[2] == "random"


def test_a_row_leads_to_its_trials_and_a_trial_to_its_details(open_page: Callable[..., Browser]) -> None:
    browser = open_page()
    row = next(row for row in rows_of(first_table(browser)) if row.text.startswith("gaussian 15"))
    row.find_element(By.CSS_SELECTOR, "a.trace").click()
    eventually(browser, lambda: len(shown(browser)) == 4)
    assert all("gaussian 15" in row.text for row in shown(browser))
    assert "4 trials of gaussian 15" in browser.find_element(By.ID, "chosen").text
    failed = next(row for row in shown(browser) if "NotFiniteError" in row.text)
    failed.find_element(By.TAG_NAME, "a").send_keys(Keys.ENTER)
    dialog = browser.find_element(By.ID, "details")
    eventually(browser, dialog.is_displayed)
    for part in (
        "NotFiniteError: the loss of epoch 0 is not finite", "a-host", "abcdef123456", "sampler_source", "batch_size",
        "parameters.sigma", "packages.torch", "Traceback ...\nNotFiniteError: the loss of epoch 0 is not finite",
    ):  # fmt: skip
        assert part in dialog.text, part
    dialog.find_element(By.CSS_SELECTOR, "button").click()
    assert not dialog.is_displayed()
    browser.find_element(By.CSS_SELECTOR, "#chosen button").click()
    assert len(shown(browser)) == 12


def test_an_address_opens_its_trial(open_page: Callable[..., Browser], page: str) -> None:
    browser = open_page()
    address = browser.find_element(By.CSS_SELECTOR, "#trial-table tbody a").get_attribute("href")
    browser.get("about:blank")
    browser.get(address)
    title = browser.find_element(By.ID, "details-title").text
    assert re.fullmatch(r"Trial [0-9a-f]{20}", title)
    assert title.split()[1] in address
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.ESCAPE)
    assert not browser.find_element(By.ID, "details").is_displayed()


@pytest.mark.parametrize("width", [390, 768, 1300])
def test_the_page_never_scrolls_sideways(open_page: Callable[..., Browser], width: int) -> None:
    browser = open_page(width)
    browser.execute_script("for (const part of document.querySelectorAll('details')) part.open = true")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    outside = browser.execute_script("""
        return Array.from(document.querySelectorAll("body *"))
          .filter((e) => !e.closest(".scroll, dialog, .skip") && e.getBoundingClientRect().right > innerWidth + 1)
          .map((e) => e.outerHTML.slice(0, 80))""")
    assert outside == []


def test_dark_mode_is_dark_and_readable(open_page: Callable[..., Browser]) -> None:
    def luminance(browser: Browser, name: str) -> float:
        script = f"return getComputedStyle(document.body).{name}"
        parts = [int(value) / 255 for value in re.findall(r"\d+", browser.execute_script(script))[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for dark in (False, True):
        browser = open_page(dark=dark)
        back, text = luminance(browser, "backgroundColor"), luminance(browser, "color")
        assert (back < text) is dark
        assert (max(back, text) + 0.05) / (min(back, text) + 0.05) > 7  # WCAG's enhanced contrast


def test_every_picture_has_words_and_every_box_a_name(open_page: Callable[..., Browser]) -> None:
    browser = open_page()
    drawings = browser.find_elements(By.CSS_SELECTOR, ".drawing")
    assert len(drawings) >= 8
    for drawing in drawings:
        assert len(drawing.get_attribute("aria-label")) > 30
        assert browser.execute_script("return arguments[0].querySelector('svg').viewBox.baseVal.width", drawing) > 200
    titles = browser.find_elements(By.CSS_SELECTOR, "#figure-made_up-differences-tiny use title")
    assert any(re.fullmatch(r"gaussian 30, seed 3: .*°", title.get_attribute("textContent")) for title in titles)
    assert len(browser.find_elements(By.CSS_SELECTOR, ".matrix .is-better")) <= 2
    assert len(browser.find_elements(By.CSS_SELECTOR, ".matrix tbody td")) == 4
    for box in browser.find_elements(By.CSS_SELECTOR, ".scroll"):
        assert box.get_attribute("aria-label")
        assert box.get_attribute("tabindex") == "0"


def explored(browser: Browser) -> list[list[str]]:
    """Cells of the explorer's table that are shown."""
    rows = rows_of(browser.find_element(By.CSS_SELECTOR, "#explorer table"))
    return [[c.text for c in row.find_elements(By.CSS_SELECTOR, "th, td") if c.is_displayed()] for row in rows]


def explored_csv(browser: Browser) -> list[dict[str, str]]:
    address = browser.find_element(By.CSS_SELECTOR, "#explorer a[download]").get_attribute("href")
    return list(csv.DictReader(unquote(address.split(",", 1)[1]).splitlines()))


def test_the_explorer_shows_the_table_s_numbers(open_page: Callable[..., Browser], page: str) -> None:
    browser = open_page()
    found = {row[0]: row for row in explored(browser)}
    for name in ("Difference", "MAE", "Verdict"):
        for arm, text in zip(column(browser, 0), column(browser, heading(browser, name)[1]), strict=True):
            assert text in found[arm]
    Select(browser.find_element(By.NAME, "metric")).select_by_visible_text("MAE beyond 30° of yaw")
    tables = Path(url2pathname(urlsplit(page).path)).with_name("tables")
    parts = (
        pd.read_csv(tables / "made_up-parts.csv").query("metric == 'far' and protocol == 'synth_1'").set_index("arm")
    )
    rows = explored_csv(browser)
    assert [row["arm"] for row in rows] == ["random", "gaussian 15", "gaussian 30"]
    for row in rows:
        for number in ("mean", "half_width", "difference", "low", "high", "p_better", "pairs"):
            assert float(row[number] or "nan") == pytest.approx(parts.loc[row["arm"], number], abs=6e-5, nan_ok=True)
    assert rows[2]["baseline"] == "random"


def test_what_is_explored_stands_in_the_address(open_page: Callable[..., Browser]) -> None:
    browser = open_page()
    assert len(explored(browser)) == 3
    Select(browser.find_element(By.NAME, "protocol")).select_by_visible_text("all")
    assert len(explored(browser)) == 6
    Select(browser.find_element(By.NAME, "metric")).select_by_visible_text("Pitch")
    browser.find_element(By.CSS_SELECTOR, "#explorer input[value='gaussian 15']").send_keys(Keys.SPACE)
    assert browser.switch_to.active_element.get_attribute("value") == "gaussian 15"
    shown_now, address = explored(browser), browser.current_url
    assert [row[0] for row in shown_now] == ["random", "gaussian 30"] * 2
    browser.get("about:blank")
    browser.get(address)
    assert explored(browser) == shown_now
    assert not browser.find_element(By.CSS_SELECTOR, "#explorer input[value='gaussian 15']").is_selected()
    browser.get(address.split("#")[0] + "#explorer?study=gone&metric=none&arm=nobody&protocol=")
    eventually(browser, lambda: explored(browser) == [])
    browser.find_element(By.CSS_SELECTOR, "#explorer input[value='random']").send_keys(Keys.SPACE)
    assert [row[0] for row in explored(browser)] == ["random"] * 2


def test_a_phone_shows_ticks_with_room_between(open_page: Callable[..., Browser]) -> None:
    ticks = "return [...document.querySelectorAll('#explorer .tick')].filter((e) => e.offsetWidth)"
    for metric in ("MAE", "Pitch", "Yaw"):
        wide = open_page()
        Select(wide.find_element(By.NAME, "metric")).select_by_visible_text(metric)
        total = wide.execute_script(f"{ticks}.length")
        phone = open_page(390)
        Select(phone.find_element(By.NAME, "metric")).select_by_visible_text(metric)
        spans = phone.execute_script(f"{ticks}.map((e) => e.getBoundingClientRect()).map((e) => [e.left, e.right])")
        assert 2 <= len(spans) <= total
        assert all(end < start for (_, end), (start, _) in itertools.pairwise(spans)), spans


def test_without_javascript_there_is_no_explorer(chromium: Browser, page: str) -> None:
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        chromium.get("about:blank")
        chromium.get(page)
        assert not chromium.find_element(By.ID, "explorer").is_displayed()
        assert first_table(chromium).is_displayed()
    finally:
        chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_a_long_list_of_trials_is_folded_until_it_is_asked_for(
    chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.report.page.render.LONG", 5)
    study = MadeUp(seeds=2, protocols=("synth_1",), predictions=False)
    build_report(filled_store(tmp_path, study), (), tmp_path / "out")
    chromium.get((tmp_path / "out" / "index.html").as_uri())
    table = chromium.find_element(By.ID, "trial-table")
    assert not table.is_displayed()
    chromium.find_element(By.CSS_SELECTOR, "a.trace").click()
    eventually(chromium, table.is_displayed)
    assert len(shown(chromium)) == 2
