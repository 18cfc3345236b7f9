"""The three sets, and their generation once and whole."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from mhpe.datasets import prepared
from mhpe.errors import InputError
from mhpe.paths import cache_folder
from mhpe.rotations import from_euler, geodesic_degrees
from mhpe.synthheads import generate
from mhpe.synthheads.population import draw_person
from mhpe.synthheads.renderer import Renderer
from mhpe.synthheads.sets import FRAMES_PER_SEQUENCE, SETS, SynthConfig, SynthSet

pytestmark = pytest.mark.slow

SMALL = SynthConfig(train=12, lab=10, wild=10)


def test_sets_show_different_persons() -> None:
    persons = [
        SynthSet(name, SynthConfig(), 32)._person(identity).identity.tobytes()
        for name in SETS
        for identity in range(50)
    ]
    assert len(set(persons)) == len(persons)


def test_long_hair_is_rare() -> None:
    styles = [draw_person(np.random.default_rng(i), 4).style for i in range(3000)]
    assert styles.count("long") / len(styles) <= 0.15


def test_train_poses_are_like_300w_lps() -> None:
    angles = np.stack([SynthSet("synth_train", SynthConfig(), 32).angles(i) for i in range(4000)])
    assert np.abs(angles).max() <= 95
    yaw, pitch, roll = angles.std(0)
    assert yaw > pitch > roll
    assert (np.abs(angles[:, 0]) > 60).mean() > 0.08


def test_lab_moves_continuously_through_sequences_of_one_person() -> None:
    source = SynthSet("synth_lab", SynthConfig(), 32)
    count = 4 * FRAMES_PER_SEQUENCE
    rotations = from_euler(torch.from_numpy(np.stack([source.angles(i) for i in range(count)])))
    step = geodesic_degrees(rotations[1:], rotations[:-1]).numpy()
    same = np.array([source.identity(i) == source.identity(i + 1) for i in range(count - 1)])
    assert step[same].max() < 25
    assert np.median(step[same]) < 8
    assert rotations[:FRAMES_PER_SEQUENCE].std(0).max() > 0.1  # and they do move


@pytest.mark.parametrize("name", SETS)
def test_generated_set_is_complete(name: str) -> None:
    data = prepared(name, 24, synth=SMALL)
    assert data.images.shape == (SMALL.count(name), 3, 24, 24)
    np.testing.assert_allclose(data.rotations, from_euler(torch.from_numpy(data.angles)).numpy(), atol=1e-5)
    assert data.images.reshape(len(data), -1).std(1).min() > 5  # no empty picture
    assert data.meta["synthetic"]


def test_more_images_leave_the_first_ones_as_they_are_and_jobs_change_nothing() -> None:
    few = prepared("synth_wild", 24, synth=SMALL)
    many = prepared("synth_wild", 24, synth=SynthConfig(train=12, lab=10, wild=40), jobs=2)
    assert few.fingerprint != many.fingerprint
    assert np.abs(few.images.astype(int) - many.images[:10]).max() <= 1
    again = prepared("synth_wild", 24, synth=SynthConfig(train=99, lab=9, wild=10))
    assert again.folder == few.folder  # sizes of the other sets don't matter


def generating(cache: Path, count: int) -> subprocess.Popen[str]:
    """A process of its own that generates a set and says so."""
    program = (
        "from mhpe.datasets import prepared; from mhpe.synthheads.sets import SynthConfig\n"
        f"data = prepared('synth_wild', 24, synth=SynthConfig(wild={count}),\n"
        "                progress=lambda what, done, total: print(what, done, flush=True))\n"
        "print(len(data), data.fingerprint)"
    )
    root = str(Path(generate.__file__).parents[2])
    return subprocess.Popen(
        [sys.executable, "-c", program], env=os.environ | {"MHPE_CACHE": str(cache), "PYTHONPATH": root},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_two_processes_generate_one_set(tmp_path: Path) -> None:
    processes = [generating(tmp_path, 48) for _ in range(2)]
    said = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sum("rendering" in text for text in said) == 1
    assert len({text.splitlines()[-1] for text in said}) == 1


def test_a_killed_generation_leaves_nothing_half_written(tmp_path: Path) -> None:
    process = generating(tmp_path, 4000)
    assert process.stdout is not None
    while not re.match(r"rendering [1-9]", process.stdout.readline()):
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    folder = tmp_path / "prepared"
    assert [path for path in folder.iterdir() if not path.name.startswith(".")] == []
    again = generating(tmp_path, 16)
    assert again.communicate(timeout=120)[0].splitlines()[-1].startswith("16 ")
    third = generating(tmp_path, 4000)  # the same set again: clears what the killed process left
    while not re.match(r"rendering [1-9]", third.stdout.readline()):  # type: ignore[union-attr]
        assert third.poll() is None
    assert len([path for path in folder.glob(".synth_wild*") if path.is_dir()]) == 1
    third.kill()
    third.wait()


def test_a_full_disk_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", no_room)
    with pytest.raises(InputError, match="No space left on device; set MHPE_CACHE to a folder with room"):
        prepared("synth_lab", 24, synth=SMALL)
    assert list((cache_folder() / "prepared").glob("*synth*/")) == []


def test_an_unwritable_cache_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MHPE_CACHE", str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"cannot write .*; set MHPE_CACHE"):
        prepared("synth_lab", 24, synth=SMALL)


def test_standard_sets_are_the_ones_that_results_were_made_on() -> None:
    keys = [generate.content_key(name, SynthConfig(), 64)[:12] for name in ("synth_train", "synth_wild", "synth_lab")]
    assert keys == ["1da17be167cf", "283f54607b7e", "167768a17ed6"]
    source = SynthSet("synth_train", SynthConfig(), 32)
    pictures = Renderer(32).render([source.scene(i) for i in range(8)])
    np.testing.assert_allclose(
        pictures.mean((1, 2, 3)), [141.55, 130.82, 167.37, 128.81, 114.08, 134.32, 139.76, 178.98], atol=0.02
    )


def test_varied_heads_are_others_with_the_same_poses() -> None:
    varied, standard = (
        SynthSet("synth_train", SynthConfig(appearance=appearance), 32) for appearance in ("varied", "standard")
    )
    renderer = Renderer(32)
    pictures = renderer.render([varied.scene(i) for i in range(8)])
    np.testing.assert_array_equal(pictures, renderer.render([varied.scene(i) for i in range(8)]))
    assert (pictures != renderer.render([standard.scene(i) for i in range(8)])).any((1, 2, 3)).all()
    np.testing.assert_array_equal([varied.angles(i) for i in range(8)], [standard.angles(i) for i in range(8)])
    assert generate.content_key("synth_train", varied.config, 32) != generate.content_key(
        "synth_train", standard.config, 32
    )


def test_varied_persons_look_at_the_camera_whatever_the_head_does() -> None:
    source = SynthSet("synth_wild", SynthConfig(appearance="varied"), 16)
    up = np.array([(source.angles(i)[1], source.scene(i).shot.gaze[1]) for i in range(200)])
    assert np.corrcoef(up.T)[0, 1] < -0.4
