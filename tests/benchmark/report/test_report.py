"""The whole report: files, page, determinism, missing and hostile content."""

import json
import os
import re
import signal
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from benchmark.report.build import build_report
from benchmark.search.points import StoredSearch
from benchmark.store import Store
from mhpe.config import CoreConfig
from mhpe.errors import InputError
from samplers.random import Random
from tests.benchmark.fake_results import ARMS, MadeUp, fill, filled_store
from tests.benchmark.report.test_writers import compile_latex

NASTY = '</script><script>alert(1)</script> <img src=x onerror="alert(2)"> & 5 % a_b $x$ | {{ 7 * 7 }}'


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def data_of(page: str) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S).group(1))


class Texts(HTMLParser):
    """Collects what a reader sees, tag names, and addresses."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "action", "data", "poster", "srcset"):
                self.addresses.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> tuple[MadeUp, Store, Path]:
    """A report with a hostile title, label and error, and missing and failed cells."""
    folder = tmp_path_factory.mktemp("report")
    study = MadeUp(
        title=NASTY,
        question=NASTY,
        arms=ARMS | {NASTY: Random()},
        failed={("gaussian 15", 1): ("NotFiniteError", NASTY)},
        absent={("gaussian 30", 2)},
    )
    store = filled_store(folder, study)
    build_report(store, (), folder / "out", png=True)
    return study, store, folder / "out"


@pytest.mark.slow
def test_a_second_run_and_another_order_give_the_same_bytes(tmp_path: Path) -> None:
    study = MadeUp(
        seeds=2, images=12, protocols=("synth_1",), failed={("gaussian 15", 1): ("ValueError", "no")},
        absent={("gaussian 30", 1)},
    )  # fmt: skip
    other = MadeUp(name="second", protocols=("synth_2",), seeds=1, predictions=False, core=CoreConfig(epochs=3))
    store = fill(filled_store(tmp_path, study), other)
    study.reverse = other.reverse = True
    reverse = fill(filled_store(tmp_path, other), study)
    for name, content in (("one", store), ("two", store), ("three", reverse)):
        build_report(content, (), tmp_path / name)
    first = files_of(tmp_path / "one")
    assert {"index.html", "tables/made_up.csv", "tables/second.tex", "figures/made_up-yaw-tiny.svg"} <= set(first)
    assert files_of(tmp_path / "two") == first
    third = files_of(tmp_path / "three")
    # Times of finishing are of the store, and two stores were not filled at the same moment.
    without_times = re.compile(rb"\b\d{10}\.\d+")
    assert {name: without_times.sub(b"", content) for name, content in third.items()} == {
        name: without_times.sub(b"", content) for name, content in first.items()
    }


@pytest.mark.slow
def test_tables_hold_every_arm_and_reason(report: tuple[MadeUp, Store, Path]) -> None:
    study, _, folder = report
    table = pd.read_csv(folder / "tables" / "made_up.csv")
    assert table["arm"].tolist() == list(study.arms) * 2
    assert table["protocol"].tolist() == ["synth_1"] * 4 + ["synth_2"] * 4
    columns = {"yaw", "mae", "mae_hw", "maev", "n", "difference", "low", "high", "p_holm", "smallest_p", "verdict"}
    assert columns <= set(table)
    assert table.set_index("arm").loc["gaussian 15", "missing"].tolist() == ["NotFiniteError (seed 1)"] * 2
    for suffix in (".md", ".tex"):
        text = (folder / "tables" / f"made_up{suffix}").read_text(encoding="utf-8")
        assert "NotFiniteError (seed 1)" in text
        assert "<script>" not in text.replace(r"\<script\>", "")


def test_all_latex_tables_compile_together(report: tuple[MadeUp, Store, Path]) -> None:
    folder = report[2] / "tables"
    names = sorted(path.name for path in folder.glob("*.tex") if path.name != "document.tex")
    assert {"made_up.tex", "made_up-bootstrap.tex", "published-cost.tex"} <= set(names)
    compile_latex(folder, *names)


def test_the_page_shows_hostile_text_as_text(report: tuple[MadeUp, Store, Path]) -> None:
    page = (report[2] / "index.html").read_text(encoding="utf-8")
    assert "alert(1)</script>" not in page
    found = Texts(page)
    assert found.texts.count(NASTY) >= 5
    assert found.tags.count("script") == 3
    assert "49" not in {text.strip() for text in found.texts}
    trials = data_of(page)["trials"]
    assert NASTY in [trial[6] for trial in trials]
    assert {trial[8] for trial in trials} == {None, f"Traceback ...\nNotFiniteError: {NASTY}"}


def test_the_page_needs_nothing_from_elsewhere(report: tuple[MadeUp, Store, Path]) -> None:
    page = (report[2] / "index.html").read_text(encoding="utf-8")
    found = Texts(page)
    assert len(found.ids) == len(set(found.ids))
    for address in found.addresses:
        assert address.startswith(("data:", "#", "tables/", "figures/")), address
        if address.startswith(("tables/", "figures/")):
            assert (report[2] / address).is_file()
        if address.startswith("#") and not address.startswith("#trials-"):
            assert address[1:].partition("?")[0] in found.ids
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)


def test_every_number_leads_to_its_trials(report: tuple[MadeUp, Store, Path]) -> None:
    study, store, folder = report
    page = (folder / "index.html").read_text(encoding="utf-8")
    data = data_of(page)
    results = store.results("made_up")
    assert {trial[0] for trial in data["trials"]} == set(results["trial"])
    for number, group in enumerate(data["groups"]):
        name, preset, _, arm = group
        assert (name, preset) == ("made_up", "tiny")
        cells = results[(results["arm"] == arm) & results["protocol"].isin(["synth_1", "synth_2"])]
        members = {trial[0] for trial in data["trials"] if number in [place for place, _ in trial[7]]}
        assert members == set(cells["trial"])
    links = {address for address in Texts(page).addresses if address.startswith("#trials-")}
    assert links == {f"#trials-{i}" for i in range(len(study.arms) * 2)}
    key, core, sampler, environment, *_, cells, _ = next(trial for trial in data["trials"] if trial[7][0][1])
    assert data["cores"][core]["epochs"] == 8
    assert data["samplers"][sampler]["sampler"] in ("random", "gaussian")
    assert data["environments"][environment]["commit"] == "abcdef123456"
    row = results[results["trial"] == key].iloc[0]
    assert cells[0][1][data["metrics"].index("mae")] == pytest.approx(row["mae"], abs=1e-4)
    assert f'id="trial-{key}"' in page


def test_incomplete_and_synthetic_are_said(report: tuple[MadeUp, Store, Path]) -> None:
    page = " ".join(Texts((report[2] / "index.html").read_text(encoding="utf-8")).texts)
    page = " ".join(page.split())
    assert "Incomplete. 28 of 32 cells of the grid have a result" in page
    assert "gaussian 15, SynthHeads to SynthHeads lab: NotFiniteError (seed 1)" in page
    assert page.count("synthetic images") >= 3
    svg = (report[2] / "figures" / "made_up-mae-tiny.svg").read_text(encoding="utf-8")
    assert "incomplete: 28 of 32 cells" in svg


@pytest.mark.slow
def test_figures_lacking_data_are_named_with_the_reason(tmp_path: Path) -> None:
    store = filled_store(tmp_path, MadeUp(predictions=False, protocols=("synth_1",), seeds=2))
    build_report(store, (), tmp_path / "out")
    page = " ".join(Texts((tmp_path / "out" / "index.html").read_text(encoding="utf-8")).texts)
    assert "Error by |yaw|: the store holds no predictions of these trials" in page
    assert "Training curves: no trial stores the history of its training" in page
    assert not (tmp_path / "out" / "figures" / "made_up-yaw-tiny.svg").exists()


def test_the_protocols_fingerprint(report: tuple[MadeUp, Store, Path]) -> None:
    page = " ".join(Texts((report[2] / "index.html").read_text(encoding="utf-8")).texts)
    assert "SynthHeads lab, 60 of 62 images found (2 beyond 99 degrees left out), 64 × 64 pixels" in page
    assert "a synthetic crop" in page
    assert "a half-turn counts 180, not 0" in page


@pytest.mark.slow
def test_a_study_of_the_slides_stands_beside_them_and_other_protocols_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.report.sentences.PUBLISHED_IMAGES", {"biwi": 8})
    study = MadeUp(name="gaussian_sigma", protocols=("protocol_1", "synth_1"), seeds=1, images=8, predictions=False)
    (found,) = build_report(filled_store(tmp_path, study), (), tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "tables" / "gaussian_sigma-published.csv")
    ours = found.table.set_index(["protocol", "arm"])["mae"]
    random = table[(table["sampler"] == "random") & (table["protocol"] == "Protocol 1")].iloc[0]
    assert (random["mae"], random["recomputed"], random["consistent"]) == (4.13, pytest.approx(4.15), False)
    assert random["reproduced_tiny"] == pytest.approx(ours["protocol_1", "random"])
    assert table.loc[table["protocol"] == "Protocol 2", "reproduced_tiny"].isna().all()
    text = (tmp_path / "out" / "tables" / "gaussian_sigma-published.md").read_text(encoding="utf-8")
    assert text.count("| ≠ ") == 9
    for suffix in (".csv", ".md", ".tex"):
        assert (tmp_path / "out" / "tables" / f"published-audit{suffix}").exists()


def test_a_report_whose_process_is_killed_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = fill(filled_store(tmp_path, MadeUp(seeds=1)), MadeUp(name="other", seeds=1))
    monkeypatch.setattr("benchmark.report.build.report_searches", lambda *_: [Fatal()])
    with pytest.raises(InputError, match="was ended"):
        build_report(store, (), tmp_path / "out")


class Fatal:
    """In the place of a search's report: kills the process that it is sent to."""

    title = summary = ""
    points = pd.DataFrame()
    stored = StoredSearch("key", {"train_set": "none"}, (), 0)

    def __reduce__(self) -> tuple[object, ...]:
        return die, ()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_figures_are_pictures(report: tuple[MadeUp, Store, Path]) -> None:
    for path in (report[2] / "figures").glob("*.png"):
        with Image.open(path) as image:
            assert min(image.size) > 250


@pytest.mark.slow
def test_a_study_with_nothing_done_brings_no_other_down(tmp_path: Path) -> None:
    few = MadeUp(seeds=2, images=6, protocols=("synth_1",), predictions=False)
    nothing = MadeUp(
        name="nothing", seeds=1, absent={(arm, 0) for arm in ARMS}, protocols=("synth_2",), core=CoreConfig(epochs=3)
    )
    store = fill(filled_store(tmp_path, few), nothing)
    assert [found.name for found in build_report(store, (), tmp_path / "out")] == ["made_up", "nothing"]
    assert "2 without result" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_names_that_are_unknown_or_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="holds no study yet"):
        build_report(Store(str(tmp_path / "empty.sqlite")), (), tmp_path / "out")
    store = filled_store(tmp_path, MadeUp(seeds=1))
    with pytest.raises(InputError, match="did you mean 'made_up'"):
        build_report(store, ("made_upp",), tmp_path / "out")
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(
        "benchmark.report.build._read_studies", lambda *_: pytest.fail("works before it makes the folder")
    )
    with pytest.raises(InputError, match="cannot write the report"):
        build_report(store, (), tmp_path / "file" / "out")
