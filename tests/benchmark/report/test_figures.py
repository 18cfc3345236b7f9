"""The figures, and what is said where one is missing."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmark.report.analysis import bootstrap, read_study
from benchmark.report.figures import FIGURES, draw, finished
from benchmark.report.figures.images import calibration_curve, images_of
from benchmark.report.figures.search import against_parameters
from benchmark.report.images import ARMS_SHOWN, ImageErrors, Images, first_arms
from benchmark.report.search import SearchReport
from benchmark.report.study_report import Material
from benchmark.report.style import (
    Drawing,
    NoDataError,
    headline,
    legend,
    line_styles,
    named_rows,
    panels,
    rendered,
    style,
)
from benchmark.report.writers import TextTable
from benchmark.search.points import Point, StoredSearch
from mhpe.config import CoreConfig
from samplers.base import Sampler
from samplers.bins import Bins
from samplers.gaussian import Gaussian
from samplers.random import Random
from samplers.reverse_gaussian import ReverseGaussian
from samplers.uniform import Uniform
from tests.benchmark.fake_results import PRESET, MadeUp, filled_store

Make = Callable[[MadeUp], Material]


def material_of(folder: Path, study: MadeUp) -> Material:
    store = filled_store(folder, study)
    report = read_study(store, study.name, study.definition | {"margin": 0.2}, store.results(study.name))
    return Material(store, report, PRESET)


def search_report(space: dict[str, Any], points: Sequence[Point], total: int, best: Sequence[int] = ()) -> SearchReport:
    stored, none = StoredSearch("key", {"space": space}, tuple(points), total), pd.DataFrame()
    return SearchReport("name", "gaussian", "", none, none, TextTable(none), stored, "MAE", list(best))


def drawn(search: SearchReport) -> Drawing:
    return finished(lambda: against_parameters(search), search.title, search.incomplete)


def test_points_of_a_search_are_drawn_against_each_parameter() -> None:
    space: dict[str, Any] = {
        "sigma": {"low": 5.0, "high": 90.0, "log": True},
        "share": {"low": 0, "high": 1, "log": False},
        "bin_width": {"choices": [5, 10, 40]},
        "order": {"choices": ["shuffled", "fixed"]},
        "flag": {"choices": [False, True]},
    }
    points = [
        Point(0, "done", {"sigma": 25.04321, "share": 0.5, "bin_width": 40, "order": "fixed", "flag": True}, 7.0),
        Point(1, "done", {"sigma": 9.0, "share": 1.0, "bin_width": 5, "order": "shuffled", "flag": True}, 8.0),
        Point(2, "failed", {"sigma": 5.0, "share": 1.0, "bin_width": 5, "order": "fixed", "flag": True}, None, "why"),
    ]
    drawing = drawn(search_report(space, points, 3, best=[0]))
    sigma, share, width, order, flag = drawing.figure.axes
    assert sigma.get_xscale() == "log"
    assert sigma.get_xlim() == (5, 90)
    assert sigma.get_xlabel() == "standard deviation in degrees"
    assert share.get_xscale() == "linear"
    assert list(width.get_xticks()) == [5, 10, 40]
    assert [text.get_text() for text in order.get_xticklabels()] == ["shuffled", "fixed"]
    assert [text.get_text() for text in flag.get_xticklabels()] == ["False", "True"]
    every, best = order.get_lines()
    assert every.get_xydata().tolist() == [[1, 7], [0, 8]]  # the failed one has no value
    assert best.get_xydata().tolist() == [[1, 7]]
    svg, _ = rendered(drawing.figure)
    assert "<title>point 0, sigma 25.04: 7.00°</title>" in svg
    assert "incomplete" not in svg


def test_an_unfinished_search_is_drawn_from_its_first_finished_point() -> None:
    space = {"sigma": {"low": 5.0, "high": 90.0, "log": True}}
    svg, _ = rendered(drawn(search_report(space, [Point(0, "done", {"sigma": 20.0}, 7.0)], 12, best=[0])).figure)
    assert "incomplete: 1 of 12 points" in svg
    with pytest.raises(NoDataError, match="no point has finished"):
        drawn(search_report(space, [Point(0, "running", {"sigma": 20.0})], 12))


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return lambda study: material_of(tmp_path, study)


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    """A complete study on two protocols."""
    study = MadeUp(title="Costs $5 & more_or_less", noise={"random": 12.0, "gaussian 30": 3.0})
    return material_of(tmp_path_factory.mktemp("material"), study)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Material:
    """A study without predictions, history and diagnostics."""
    return material_of(tmp_path_factory.mktemp("bare"), MadeUp(predictions=False, seeds=1))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in FIGURES if kind != "grid"])
def test_every_figure_has_a_panel_for_each_protocol_and_says_what_it_shows(material: Material, kind: str) -> None:
    drawing = draw(kind, material)
    titles = [axis.get_title(loc="left") for axis in drawing.figure.axes]
    protocols = ["SynthHeads to SynthHeads lab", "SynthHeads to SynthHeads wild"]
    of_training = ["trained on SynthHeads train"]
    special = {"distances": of_training, "training": of_training, "drawn": [protocols[0], "", protocols[1], ""]}
    assert titles == special.get(kind, protocols)
    assert drawing.figure.get_suptitle().startswith("Costs $5 & more_or_less")
    assert len(drawing.caption) > 40
    assert len(drawing.alt) > 30


@pytest.mark.parametrize("kind", ["mae", "drawn"])
def test_panels_of_errors_have_one_span_each_around_its_own(material: Material, kind: str) -> None:
    limits = [axis.get_ylim() for axis in draw(kind, material).figure.axes]
    assert np.ptp([high - low for low, high in limits]) < 1e-9
    assert len({low for low, _ in limits}) > 1


@pytest.mark.parametrize("kind", ["yaw", "calibration"])
def test_no_data_lie_beyond_the_axes_that_panels_share(material: Material, kind: str, monkeypatch) -> None:
    *_, (last, images) = material.images.items()
    larger = {arm: replace(errors, geodesic=2 * errors.geodesic) for arm, errors in images.arms.items()}
    monkeypatch.setitem(material.images, last, replace(images, arms=larger))
    for axis in draw(kind, material).figure.axes:
        for line in axis.get_lines():
            if line.get_label() != "calibrated":
                y = np.asarray(line.get_ydata(), float)
                low, high = axis.get_ylim()
                assert low <= np.nanmin(y, initial=high)
                assert np.nanmax(y, initial=low) <= high


@pytest.mark.parametrize("kind", ["yaw", "cumulative", "distances", "drawn", "calibration", "training"])
def test_a_figure_without_its_data_is_not_drawn(bare: Material, kind: str) -> None:
    with pytest.raises(NoDataError, match=r"the store holds no predictions|no trial stores"):
        draw(kind, bare)


def test_one_seed_has_no_paired_lines_and_no_common_seed_no_differences(make: Make, bare: Material) -> None:
    with pytest.raises(NoDataError, match="fewer than two seeds"):
        draw("seeds", bare)
    absent = {("random", 0), ("gaussian 15", 1), ("gaussian 30", 1)}
    with pytest.raises(NoDataError, match="no arm shares a seed"):
        draw("differences", make(MadeUp(seeds=2, images=6, absent=absent)))


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "named", "lines"), [(10, 10, 10), (25, 0, 20)])
def test_a_legend_names_few_seeds_and_a_figure_draws_not_too_many(
    make: Make, seeds: int, named: int, lines: int
) -> None:
    drawing = draw("seeds", make(MadeUp(seeds=seeds, images=6, protocols=("synth_1",), predictions=False)))
    (legend,) = drawing.figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == [*(f"seed {number}" for number in range(named)), "mean"]
    (axis,) = drawing.figure.axes
    assert len(axis.lines) == lines + 1


@pytest.mark.parametrize(
    ("arms", "lines"),
    [
        ({"a": Gaussian(sigma=15), "b": Gaussian(sigma=30)}, ["mean over seeds"]),
        ({"a": Bins(bin_width=10), "b": Bins(bin_width=20)}, ["mean over seeds"]),
        (
            {
                "a": ReverseGaussian(sigma=20), "b": ReverseGaussian(sigma=30),
                "c": ReverseGaussian(sigma=20, empty_bin="populated_only"),
                "d": ReverseGaussian(sigma=30, empty_bin="populated_only"),
            },
            ["reverse_gaussian, empty_bin nearest", "reverse_gaussian, empty_bin populated_only"],
        ),
        ({"a": Gaussian(sigma=30), "b": ReverseGaussian(sigma=45), "c": Uniform()}, None),
        ({"a": Gaussian(sigma=30)}, None),
    ],
)  # fmt: skip
def test_only_arms_that_differ_in_one_parameter_are_joined_by_a_line(
    make: Make, arms: dict[str, Sampler], lines: list[str] | None
) -> None:
    study = make(MadeUp(arms={"random": Random()} | arms, protocols=("synth_1",), seeds=1, images=6))
    if lines is None:
        with pytest.raises(NoDataError):
            draw("mae", study)
        return
    drawn = draw("mae", study).figure.axes[0].get_lines()
    assert [line.get_label() for line in drawn if line.get_marker() not in ("o", "None") or line.get_label() in lines][
        -len(lines) :
    ] == lines


def test_the_line_goes_through_the_means(material: Material) -> None:
    lines = draw("mae", material).figure.axes[0].get_lines()
    (line,) = [line for line in lines if line.get_label() == "mean over seeds"]
    rows = material.arms("synth_1")
    rows = rows[rows["arm"] != "random"]
    np.testing.assert_allclose(line.get_xydata(), rows[["sigma", "mae"]])


def test_the_heat_map_shows_every_combination(make: Make, bare: Material) -> None:
    arms: dict[str, Sampler] = {"random": Random()}
    arms |= {f"{sigma} {width}": Gaussian(sigma=sigma, bin_width=width) for sigma in (15, 30) for width in (10, 20, 40)}
    study = make(MadeUp(arms=arms, protocols=("synth_1",), seeds=1, images=6))
    shown = sorted(text.get_text() for text in draw("grid", study).figure.axes[0].texts)
    assert shown == sorted(f"{mae:.2f}" for mae in study.table.loc[study.table["arm"] != "random", "mae"])
    with pytest.raises(NoDataError, match="varies both"):
        draw("grid", bare)


@pytest.mark.slow
def test_the_forest_shows_the_differences_of_the_table(make: Make) -> None:
    study = make(MadeUp(noise={"gaussian 30": 3.0}, seeds=9, protocols=("synth_1",)))
    axis = draw("differences", study).figure.axes[0]
    rows = study.table.set_index("arm")
    shown = {line.get_label(): line.get_xdata()[0] for line in axis.get_lines() if len(line.get_xdata()) == 1}
    assert shown["better"] == pytest.approx(rows.loc["gaussian 30", "difference"])
    assert [text.get_text() for text in axis.get_yticklabels()] == ["gaussian 15", "gaussian 30"]
    assert [text.get_text().split(":")[0] for text in axis.texts] == ["n=9", "n=9"]
    assert axis.texts[1].get_text().endswith("/ 0 / 0 %")


def test_the_error_stands_over_what_was_drawn(material: Material) -> None:
    images, distance = draw("drawn", material).figure.axes[:2]
    rows = material.arms("synth_1").set_index("arm")
    for axis, value in ((images, 3.0), (distance, 90.0)):
        points = {line.get_label(): line.get_xydata()[0].tolist() for line in axis.get_lines()}
        assert points == {arm: [value, rows.loc[arm, "mae"]] for arm in rows.index}


def test_losses_over_decades_have_plain_numbers_at_their_axis(make: Make) -> None:
    axis = draw("training", make(MadeUp(core=CoreConfig(epochs=60), seeds=1, images=6))).figure.axes[0]
    assert axis.get_yscale() == "log"
    assert "0.1" in [label.get_text() for label in axis.get_yticklabels()]


def test_the_yaw_bins_count_every_image_once(material: Material) -> None:
    labels = [text.get_text() for text in draw("yaw", material).figure.axes[0].get_xticklabels()]
    assert sum(int(label.split("\n")[1]) for label in labels) == 60


def test_calibration_of_a_network_that_knows_its_errors_is_the_diagonal() -> None:
    geodesic = np.random.default_rng(0).uniform(1, 60, (3, 200))
    errors = ImageErrors((0, 1, 2), geodesic, geodesic, np.cos(np.radians(geodesic)))
    expected, observed = calibration_curve(errors)
    assert len(expected) == 10
    np.testing.assert_allclose(observed, expected)
    assert (np.diff(expected) > 0).all()


def test_a_network_that_does_not_say_how_sure_it_is_has_no_calibration(
    material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*arms: str) -> Callable[[Material], dict[str, Images]]:
        def unknown(images: Images) -> Images:
            nothing = np.full_like(images.arms["random"].expected_cosine, np.nan)
            return replace(
                images, arms=images.arms | {a: replace(images.arms[a], expected_cosine=nothing) for a in arms}
            )

        return lambda _: {protocol: unknown(images) for protocol, images in images_of(material).items()}

    monkeypatch.setattr("benchmark.report.figures.images.images_of", silent("random"))
    shown = [line.get_label() for line in draw("calibration", material).figure.axes[0].get_lines()]
    assert shown == ["gaussian 15", "gaussian 30", "calibrated"]
    monkeypatch.setattr("benchmark.report.figures.images.images_of", silent("random", "gaussian 15", "gaussian 30"))
    with pytest.raises(NoDataError, match="no arm predicts a concentration"):
        draw("calibration", material)


def test_the_expected_error_is_that_of_the_matrix_fisher_distribution(material: Material) -> None:
    """With F = s M the density of the angle is proportional to exp(2 s cos a) (1 - cos a): integrate that."""
    found = material.images["synth_1"].arms["random"].expected_cosine
    s = 0.5 / np.radians(12.0) ** 2
    angle = np.linspace(0, np.pi, 200_001)
    density = np.exp(2 * s * (np.cos(angle) - 1)) * (1 - np.cos(angle))
    np.testing.assert_allclose(found, (np.cos(angle) * density).sum() / density.sum(), atol=1e-6)


def test_image_errors_average_to_the_stored_metrics(material: Material) -> None:
    for protocol in ("synth_1", "synth_2"):
        rows = material.table[material.table["protocol"] == protocol].set_index("arm")
        for arm, errors in material.images[protocol].arms.items():
            assert errors.mae.mean() == pytest.approx(rows.loc[arm, "mae"], abs=1e-4)
            assert errors.geodesic.mean() == pytest.approx(rows.loc[arm, "geodesic_mean"], abs=1e-4)


def test_the_secondary_analysis_finds_the_same_difference(material: Material) -> None:
    found = [bootstrap(images, material.baselines).assign(protocol=name) for name, images in material.images.items()]
    table = pd.concat(found).merge(material.table, on=["protocol", "arm"], suffixes=("", "_primary"))
    assert len(table) == 4
    np.testing.assert_allclose(table["difference"], table["difference_primary"], atol=1e-4)
    assert (table["images"] == 60).all()
    assert (table["persons"] == 20).all()
    assert (table.loc[table["arm"] == "gaussian 30", "probability_of_improvement"] > 0.6).all()


def test_no_two_arms_look_alike_without_colour() -> None:
    arms = [f"arm {i}" for i in range(ARMS_SHOWN)]
    looks = [(look["linestyle"], look["marker"]) for look in line_styles(arms, "arm 3").values()]
    assert len(set(looks)) == len(looks)


def test_the_baseline_is_among_the_first_arms() -> None:
    arms = [f"arm {i}" for i in range(100)]
    assert first_arms(arms, "arm 99") == [*arms[: ARMS_SHOWN - 1], "arm 99"]
    assert first_arms(arms, "arm 3") == arms[:ARMS_SHOWN]
    assert first_arms(arms[:3], "none") == arms[:3]


def test_incomplete_grids_say_so(make: Make, bare: Material) -> None:
    assert bare.incomplete == ""
    study = MadeUp(absent={("random", 1)}, images=6, seeds=2, predictions=False)
    assert make(study).incomplete == "incomplete: 10 of 12 cells"


@pytest.mark.parametrize(("count", "rows", "columns"), [(1, 1, 1), (3, 1, 3), (4, 2, 2), (5, 2, 3)])
def test_panels_wrap_after_three(count: int, rows: int, columns: int) -> None:
    figure, axes = panels(count)
    names, lines = named_rows(count, ["first", "last"], 1, sharex=True)
    for drawn, found in ((figure, axes), (names, lines)):
        places = [axis.get_subplotspec() for axis in found]
        assert len(drawn.axes) == len(places) == count
        assert {place.rowspan.start for place in places if place} == set(range(rows))
        assert {place.colspan.start for place in places if place} == set(range(columns))
    assert all([label.get_text() for label in axis.get_yticklabels()] == ["first", "last"] for axis in lines[::columns])


def test_a_figure_has_room_for_a_long_title() -> None:
    with style():
        figure, (axes,) = panels(1)
        panel = axes.get_position().width * figure.get_figwidth()
        headline(figure, "long " * 40)
    assert figure.get_figwidth() * figure.dpi > figure.texts[0].get_window_extent().x1
    assert axes.get_position().width * figure.get_figwidth() == pytest.approx(panel)


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
def test_a_figure_has_room_for_the_longest_names() -> None:
    with style():
        figure, (axes,) = panels(1)
        width = figure.get_figwidth()
        for number in range(40):
            axes.plot([0, 1], label=f"{number} {'W' * 200}")
        legend(figure, [axes])
        svg, _ = rendered(figure)
    assert figure.get_figwidth() > width
    assert axes.get_position().width * figure.get_figwidth() > 1
    assert f"39 {'W' * 200}" in svg
