"""Loaders of the original layouts, the crop rule and prepared sets."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat

from mhpe.data import HeadPoseSet
from mhpe.data.crops import HEAD_MM, HEAD_UP, landmark_box, read_crop
from mhpe.data.real import Record, rotations_of
from mhpe.datasets import REAL_SETS, prepared
from mhpe.errors import InputError
from mhpe.rotations import geodesic_degrees, mirror, to_euler
from tests.fake_data import (
    CALIBRATION,
    draw_head,
    landmarks,
    pose_text,
    random_angles,
    rotation_of,
    write_300w_lp,
    write_aflw2000,
    write_biwi,
    write_mat,
)


def test_aflw2000_labels_and_crops(tmp_path: Path) -> None:
    angles = write_aflw2000(tmp_path, 10)
    data = prepared("aflw2000", 32, tmp_path)
    assert data.images.shape == (10, 3, 32, 32)
    assert data.image_ids[0] == "image00000"
    np.testing.assert_allclose(data.angles, angles, atol=1e-4)
    np.testing.assert_allclose(to_euler(torch.from_numpy(data.rotations)).numpy(), angles, atol=1e-3)
    # landmarks' box is 0.6 of 96 px: the crop is 1.45 times that around a point 0.1 of the crop higher
    side = 1.45 * 0.6 * 96
    left, top = 48 - side / 2, 48 - side / 2 - 0.1 * side
    image = Image.open(tmp_path / "AFLW2000" / "image00000.jpg").transform(
        (256, 256), Image.Transform.EXTENT, (left, top, left + side, top + side), Image.Resampling.BILINEAR
    )
    expected = np.asarray(image.resize((32, 32), Image.Resampling.BOX), dtype=float)
    inside = np.s_[6:]  # the crop's first rows lie above the image
    assert np.abs(data.images[0].transpose(1, 2, 0)[inside] - expected[inside]).mean() < 4


def test_angles_beyond_99_degrees_are_left_out(tmp_path: Path) -> None:
    write_aflw2000(tmp_path, 4)
    folder = tmp_path / "AFLW2000"
    write_mat(folder / "image00001.mat", np.array([0.0, 99.5, 0.0]), 96)
    write_mat(folder / "image00002.mat", np.array([98.9, 0.0, 0.0]), 96)
    data = prepared("aflw2000", 32, tmp_path)
    assert data.image_ids == ("image00000", "image00002", "image00003")
    assert data.angles[1, 0] == pytest.approx(98.9, abs=1e-3)  # beyond the range of to_euler, kept as stated
    assert data.meta["beyond_max_angle"] == 1


def test_300w_lp_views_of_a_photograph_are_one_identity(tmp_path: Path) -> None:
    write_300w_lp(tmp_path, photographs=2, views=3)
    data = prepared("300w_lp", 32, tmp_path)
    assert len(data) == 4 * 2 * 3 * 2
    by_identity: dict[int, set[str]] = {}
    for image_id, identity in zip(data.image_ids, data.identities, strict=True):
        by_identity.setdefault(int(identity), set()).add(re.sub(r"_\d+$", "", image_id.split("/")[1]))
    assert len(by_identity) == 8
    assert all(len(names) == 1 for names in by_identity.values())


def test_biwi_agrees_with_the_published_readers(tmp_path: Path) -> None:
    """HopeNet's and FSA-Net's formulas for the pose file's matrix."""
    write_biwi(tmp_path, 8)
    biwi = REAL_SETS["biwi"]
    for record in biwi.records(tmp_path):
        q = np.loadtxt(record.label, max_rows=3).T
        roll = -np.degrees(np.arctan2(q[1, 0], q[0, 0]))
        yaw = -np.degrees(np.arctan2(-q[2, 0], np.hypot(q[2, 1], q[2, 2])))
        pitch = np.degrees(np.arctan2(q[2, 1], q[2, 2]))
        np.testing.assert_allclose(biwi.label(record).angles, (yaw, pitch, roll), atol=1e-5)


def test_biwi_persons_and_layout(tmp_path: Path) -> None:
    angles = write_biwi(tmp_path, 4)
    data = prepared("biwi", 32, tmp_path)
    np.testing.assert_allclose(data.angles, angles, atol=1e-4)
    assert len(set(data.identities)) == 2  # sequence 21 shows the person of sequence 02
    assert data.meta["already_cropped"] == 12
    (tmp_path / "BIWI" / "hpdb").mkdir()
    for folder in ("01", "02", "21"):
        (tmp_path / "BIWI" / folder).rename(tmp_path / "BIWI" / "hpdb" / folder)
    assert prepared("biwi", 32, tmp_path).fingerprint == data.fingerprint


def test_biwi_full_frames_are_cut_around_the_projected_head(tmp_path: Path) -> None:
    folder = tmp_path / "BIWI" / "01"
    folder.mkdir(parents=True)
    (folder / "rgb.cal").write_text(CALIBRATION)
    rotation = rotation_of(random_angles(1))[0]
    side = HEAD_MM * 500 / 1000
    centre = np.array([320 + 500 * (100 - 25) / 1000, 240 + 500 * -50 / 1000])
    frame = Image.new("RGB", (640, 480), "gray")
    corner = (centre - side / 2 - [0, HEAD_UP * side]).round().astype(int)
    frame.paste(draw_head(rotation, round(side)), tuple(corner.tolist()))
    frame.save(folder / "frame_00003_rgb.png")
    (folder / "frame_00003_pose.txt").write_text(pose_text(rotation, (100.0, -50.0, 1000.0)))
    data = prepared("biwi", 64, tmp_path)
    assert data.meta["already_cropped"] == 0
    expected = np.asarray(draw_head(rotation, round(side)).resize((64, 64), Image.Resampling.BILINEAR), dtype=float)
    assert np.abs(data.images[0].transpose(1, 2, 0) - expected).mean() < 5


def test_crop_decodes_large_photographs_at_a_fraction(tmp_path: Path) -> None:
    """Draft decoding changes how long it takes, not what is seen."""
    big = draw_head(rotation_of(random_angles(1))[0], 800)
    big.save(tmp_path / "big.jpg", quality=95)
    big.save(tmp_path / "big.png")
    box = landmark_box(landmarks(800)[:2])
    jpeg, _ = read_crop(tmp_path / "big.jpg", box, 64)
    png, _ = read_crop(tmp_path / "big.png", box, 64)
    assert np.abs(jpeg.astype(float) - png).mean() < 3


def test_prepared_once_and_keyed_by_what_went_in(tmp_path: Path) -> None:
    write_aflw2000(tmp_path, 5)
    first = prepared("aflw2000", 32, tmp_path)
    stamp = (first.folder / "images.npy").stat().st_mtime_ns
    again = prepared("aflw2000", 32, tmp_path)
    assert (again.folder / "images.npy").stat().st_mtime_ns == stamp
    other_size = prepared("aflw2000", 48, tmp_path)
    draw_head(np.eye(3), 90).save(tmp_path / "AFLW2000" / "image00001.jpg")
    changed = prepared("aflw2000", 32, tmp_path)
    assert len({first.fingerprint, other_size.fingerprint, changed.fingerprint}) == 3
    assert first.fingerprint == again.fingerprint


def test_a_label_that_keeps_its_size_and_a_calibration_that_appears_are_noticed(tmp_path: Path) -> None:
    write_biwi(tmp_path, 2)
    first = prepared("biwi", 32, tmp_path)
    pose, other = sorted((tmp_path / "BIWI" / "01").glob("*_pose.txt"))
    pose.write_text(other.read_text())
    changed = prepared("biwi", 32, tmp_path)
    assert np.abs(changed.angles[0] - first.angles[0]).max() > 0.1
    (tmp_path / "BIWI" / "01" / "rgb.cal").write_text(CALIBRATION)
    calibrated = prepared("biwi", 32, tmp_path)
    assert len({data.folder for data in (first, changed, calibrated)}) == 3


@pytest.mark.slow
def test_fingerprint_is_the_same_elsewhere_and_with_more_processes(tmp_path: Path, monkeypatch) -> None:
    write_aflw2000(tmp_path / "a", 70)
    write_aflw2000(tmp_path / "b", 70)
    first = prepared("aflw2000", 32, tmp_path / "a")
    monkeypatch.setenv("MHPE_CACHE", str(tmp_path / "other"))
    second = prepared("aflw2000", 32, tmp_path / "b", jobs=2)
    assert first.fingerprint == second.fingerprint
    np.testing.assert_array_equal(first.images, second.images)


def test_a_prepared_set_needs_no_original(tmp_path: Path) -> None:
    write_aflw2000(tmp_path, 5)
    first = prepared("aflw2000", 32, tmp_path)
    assert prepared("aflw2000", 32, None).fingerprint == first.fingerprint


def test_corrupt_images_are_left_out_and_named(tmp_path: Path) -> None:
    write_aflw2000(tmp_path, 6)
    folder = tmp_path / "AFLW2000"
    (folder / "image00002.jpg").write_bytes(b"no picture")
    content = (folder / "image00004.jpg").read_bytes()
    (folder / "image00004.jpg").write_bytes(content[: len(content) // 2])
    data = prepared("aflw2000", 32, tmp_path)
    assert data.image_ids == ("image00000", "image00001", "image00003", "image00005")
    places = zip((2, 4), data.meta["unreadable"], strict=True)
    assert all(str(folder / f"image0000{i}.jpg") in line for i, line in places)
    assert len(data.images) == len(data.rotations) == 4
    np.testing.assert_array_equal(data.images[2], HeadPoseSet.load(data.folder).images[2])


def test_an_absurdly_large_image_is_left_out_and_named(tmp_path: Path, monkeypatch) -> None:
    write_aflw2000(tmp_path, 3)
    Image.new("L", (200, 200)).save(tmp_path / "AFLW2000" / "image00001.jpg")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 15_000)
    data = prepared("aflw2000", 32, tmp_path)
    assert data.image_ids == ("image00000", "image00002")
    assert "image00001.jpg: too large" in data.meta["unreadable"][0]


def test_an_image_beside_its_landmarks_is_left_out_and_named(tmp_path: Path) -> None:
    write_aflw2000(tmp_path, 3)
    label = {"Pose_Para": np.zeros((1, 7)), "pt3d_68": landmarks(96) + 1e12}
    savemat(tmp_path / "AFLW2000" / "image00001.mat", label)
    data = prepared("aflw2000", 32, tmp_path)
    assert data.image_ids == ("image00000", "image00002")
    assert "image00001.jpg: its face square lies outside its 96 x 96 pixels" in data.meta["unreadable"][0]


@pytest.mark.parametrize(
    ("pose", "points", "message"),
    [
        (np.full((1, 7), np.nan), landmarks(96), "Pose_Para holds values that are not finite numbers"),
        (["a", "b", "c"], landmarks(96), "Pose_Para holds values that are not finite numbers"),
        (np.full((1, 7), 1j), landmarks(96), "Pose_Para holds values that are not finite numbers"),
        (np.zeros((1, 7)), landmarks(96) * np.nan, "pt3d_68 holds values that are not finite numbers"),
        (np.zeros((1, 7)), landmarks(96) * 0, "its face square is 0 pixels wide; 16 to 9000 would be right"),
        (np.zeros((1, 7)), landmarks(96) * 1e9, "pixels wide; 16 to 9000 would be right"),
        (np.zeros((1, 7)), landmarks(96) * 1e300, "pixels wide; 16 to 9000 would be right"),
    ],
)
def test_labels_that_cannot_be_are_named(tmp_path: Path, pose, points, message: str) -> None:
    path = tmp_path / "a.mat"
    savemat(path, {"Pose_Para": pose, "pt3d_68": points})
    with pytest.raises(InputError, match=re.escape(message)) as error:
        REAL_SETS["aflw2000"].label(Record(tmp_path / "a.jpg", path, "a", "a"))
    assert str(error.value).startswith(f"{path}: ")


def corrupt_everything(folder: Path) -> None:
    for path in folder.glob("*.jpg"):
        path.write_bytes(b"no picture")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: savemat(folder / "image00001.mat", {"pt3d_68": landmarks(96)}), "image00001.mat: no Pose_Para"),
        (lambda folder: savemat(folder / "image00001.mat", {"Pose_Para": np.zeros((1, 7))}), "no pt3d_68 with 68"),
        (lambda folder: (folder / "image00001.mat").write_bytes(b"junk"), "image00001.mat: no readable label file"),
        (lambda folder: (folder / "image00001.mat").unlink(), "image00001.mat: no readable label file (no such file)"),
        (corrupt_everything, "none of its 3 images is usable"),
    ],
)
def test_bad_aflw2000(tmp_path: Path, damage, message: str) -> None:
    write_aflw2000(tmp_path, 3)
    damage(tmp_path / "AFLW2000")
    with pytest.raises(InputError, match=re.escape(message)):
        prepared("aflw2000", 32, tmp_path)
    assert not list((tmp_path / "cache").rglob("*.npy"))  # nothing half-made stays


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1 0 0\n0 1 0\n0 0 1\n", "9 finite numbers; 12"),
        ("a b c", "'a'"),
        ("1 0 0\n0 1 0\n0 0 2\n\n0 0 900\n", "no rotation matrix"),
        ("1e200 0 0\n0 1e200 0\n0 0 1e200\n\n0 0 900\n", "no rotation matrix"),
    ],
)
def test_bad_biwi_pose(tmp_path: Path, content: str, message: str) -> None:
    write_biwi(tmp_path, 2)
    pose = tmp_path / "BIWI" / "01" / "frame_00001_pose.txt"
    pose.write_text(content)
    with pytest.raises(InputError, match=f"{pose}.*{message}"):
        prepared("biwi", 32, tmp_path)


@pytest.mark.parametrize(
    ("centre", "message"),
    [
        ("25 0 1e-9", "its face square is .* pixels wide"),
        ("1e308 0 1e-308", "its face square is .* pixels wide"),
        ("0 0 0", "behind the camera"),
        ("0 0 -900", "behind the camera"),
    ],
)
def test_a_biwi_head_that_no_camera_sees_is_named(tmp_path: Path, centre: str, message: str) -> None:
    folder = tmp_path / "BIWI" / "01"
    folder.mkdir(parents=True)
    (folder / "rgb.cal").write_text(CALIBRATION)
    Image.new("RGB", (640, 480)).save(folder / "frame_00003_rgb.png")
    pose = folder / "frame_00003_pose.txt"
    pose.write_text(f"1 0 0\n0 1 0\n0 0 1\n\n{centre}\n")
    with pytest.raises(InputError, match=f"{pose}: .*{message}"):
        prepared("biwi", 32, tmp_path)


def test_missing_and_empty_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs a data folder: pass --data-root"):
        prepared("aflw2000", 32, None)
    with pytest.raises(InputError, match="no folder"):
        prepared("aflw2000", 32, tmp_path)
    for name in ("aflw2000", "synth_lab"):
        with pytest.raises(InputError, match="no such folder"):
            prepared(name, 32, tmp_path / "mistyped")
    (tmp_path / "AFLW2000").mkdir()
    with pytest.raises(InputError, match="holds no image"):
        prepared("aflw2000", 32, tmp_path)
    with pytest.raises(InputError, match="no data set 'aflw'"):
        prepared("aflw", 32, tmp_path)


def test_unwritable_cache_is_one_clear_line(tmp_path: Path, monkeypatch) -> None:
    write_aflw2000(tmp_path, 3)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MHPE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(InputError, match=r"cannot write .*MHPE_CACHE"):
        prepared("aflw2000", 32, tmp_path)


def test_suffixes_are_found_in_either_case(tmp_path: Path) -> None:
    write_aflw2000(tmp_path, 4)
    expected = prepared("aflw2000", 32, tmp_path)
    folder = tmp_path / "AFLW2000"
    (folder / "image00001.jpg").rename(folder / "image00001.JPG")
    (folder / "image00002.mat").rename(folder / "image00002.Mat")
    found = prepared("aflw2000", 32, tmp_path)
    assert found.fingerprint == expected.fingerprint
    shutil.copy(folder / "image00001.JPG", folder / "image00001.jpg")
    with pytest.raises(InputError, match=r"image00001\.JPG.*keep one"):
        prepared("aflw2000", 32, tmp_path)


def test_folders_are_found_in_either_case(tmp_path: Path) -> None:
    write_300w_lp(tmp_path, photographs=1, views=1)
    expected = prepared("300w_lp", 32, tmp_path)
    (tmp_path / "300W_LP" / "AFW").rename(tmp_path / "300W_LP" / "afw")
    assert prepared("300w_lp", 32, tmp_path).image_ids == expected.image_ids


def test_hidden_files_copies_and_folders_are_no_images(tmp_path: Path) -> None:
    write_aflw2000(tmp_path, 2)
    write_300w_lp(tmp_path, photographs=1, views=1)
    write_biwi(tmp_path, 2)
    aflw, afw, biwi = tmp_path / "AFLW2000", tmp_path / "300W_LP" / "AFW", tmp_path / "BIWI" / "01"
    for path in (aflw / "._image00001.jpg", afw / "._AFW_0000_1_0.jpg", biwi / "._frame_00001_rgb.png"):
        path.write_bytes(b"Mac OS X")
    for folder, stem in ((aflw, "image00001"), (afw, "AFW_0000_1_0")):
        for suffix in (".jpg", ".mat"):
            shutil.copy(folder / f"{stem}{suffix}", folder / f"{stem} (1){suffix}")
    (aflw / "image00009.jpg").mkdir()
    counts = {name: len(prepared(name, 32, tmp_path)) for name in REAL_SETS}
    assert counts == {"aflw2000": 2, "300w_lp": 8, "biwi": 6}


@pytest.mark.parametrize("target", ["/nowhere/key.jpg", "image00001.jpg"])  # dangling, and to itself
def test_a_link_to_nothing_is_an_unreadable_image(tmp_path: Path, target: str) -> None:
    write_aflw2000(tmp_path, 3)
    image = tmp_path / "AFLW2000" / "image00001.jpg"
    content = image.read_bytes()
    image.unlink()
    image.symlink_to(target)
    data = prepared("aflw2000", 32, tmp_path)
    assert data.image_ids == ("image00000", "image00002")
    assert "image00001.jpg: a link to a file that is missing" in data.meta["unreadable"][0]
    image.unlink()
    image.write_bytes(content)
    assert len(prepared("aflw2000", 32, tmp_path)) == 3


def test_a_repaired_image_of_the_same_size_is_seen(tmp_path: Path) -> None:
    write_aflw2000(tmp_path, 3)
    image = tmp_path / "AFLW2000" / "image00001.jpg"
    content = image.read_bytes()
    image.write_bytes(bytes(len(content)))
    assert len(prepared("aflw2000", 32, tmp_path)) == 2
    image.write_bytes(content)
    assert len(prepared("aflw2000", 32, tmp_path)) == 3


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    write_aflw2000(tmp_path, 3)
    write_biwi(tmp_path, 2)
    (tmp_path / "AFLW2000" / "image00001.jpg").unlink()
    (tmp_path / "AFLW2000" / "image00002.mat").unlink()
    for name in ("image00000.gif", "image00003.WEBP", "image00001 (1).jpg", "notes.txt"):
        (tmp_path / "AFLW2000" / name).write_text("")
    missing = REAL_SETS["aflw2000"].missing(tmp_path)
    assert missing[:2] == ["1 image(s) without label file", "1 label file(s) without image"]
    assert "3 other image file(s)" in missing[2]
    assert all(name in missing[2] for name in ("image00000.gif", "image00003.WEBP", "image00001 (1).jpg"))
    (tmp_path / "other" / "AFLW2000").mkdir(parents=True)
    (tmp_path / "other" / "AFLW2000" / "image00000.png").write_text("")
    with pytest.raises(InputError, match=r"1 other image file.*image00000\.png"):
        prepared("aflw2000", 32, tmp_path / "other")
    assert "21 of 24 folders missing (03, 04, 05, ...)" in prepared("biwi", 32, tmp_path).meta["missing"]


@pytest.mark.parametrize(
    ("size", "calibration", "words"),
    [
        ((640, 480), None, "with .*rgb.cal"),
        ((320, 240), CALIBRATION, "the 640 x 480 of rgb.cal"),
        ((480, 480), CALIBRATION, "480 x 480 pixels"),
        ((480, 480), None, "480 x 480 pixels"),
        ((100, 140), None, "100 x 140 pixels"),
        ((20, 20), None, "20 x 20 pixels"),
        ((1280, 960), CALIBRATION, "1280 x 960 pixels"),
    ],
)
def test_biwi_frames_that_are_neither_full_nor_a_crop_are_refused(tmp_path: Path, size, calibration, words) -> None:
    write_biwi(tmp_path, 2)
    frame = tmp_path / "BIWI" / "01" / "frame_00001_rgb.png"
    Image.new("RGB", size).save(frame)
    if calibration:
        (frame.parent / "rgb.cal").write_text(calibration)
    with pytest.raises(InputError, match=f"frame_00001_rgb.png.*{words}"):
        prepared("biwi", 32, tmp_path)
    biwi = REAL_SETS["biwi"]
    assert biwi.kinds(biwi.records(tmp_path)) == "5 already cropped, 1 neither a full frame nor a crop"


def test_how_biwi_frames_are_taken_is_counted_and_part_of_the_fingerprint(tmp_path: Path) -> None:
    write_biwi(tmp_path, 2)
    for record in REAL_SETS["biwi"].records(tmp_path)[:1]:
        Image.new("RGB", (640, 480)).save(record.image)
        (record.image.parent / "rgb.cal").write_text(CALIBRATION)
    mixed = prepared("biwi", 32, tmp_path)
    assert (len(mixed), mixed.meta["already_cropped"]) == (6, 5)
    biwi = REAL_SETS["biwi"]
    assert biwi.kinds(biwi.records(tmp_path)) == "1 full frames, 5 already cropped"


@pytest.mark.filterwarnings("error")
def test_an_absurd_angle_is_beyond_the_largest(tmp_path: Path) -> None:
    write_aflw2000(tmp_path, 2)
    savemat(tmp_path / "AFLW2000" / "image00001.mat", {"Pose_Para": np.full((1, 7), 1e308), "pt3d_68": landmarks(96)})
    assert prepared("aflw2000", 32, tmp_path).meta["beyond_max_angle"] == 1


def test_a_set_of_which_nothing_is_left_names_the_commonest_reason(tmp_path: Path) -> None:
    angles = write_aflw2000(tmp_path, 4)
    for i in range(4):
        write_mat(tmp_path / "AFLW2000" / f"image{i:05d}.mat", angles[i] * 0 + 150, 96)
    with pytest.raises(InputError, match=r"none of its 4 images is usable: 4 beyond 99 degrees.*radians"):
        prepared("aflw2000", 32, tmp_path)
    write_mat(tmp_path / "AFLW2000" / "image00000.mat", angles[0], 96)
    (tmp_path / "AFLW2000" / "image00000.jpg").write_bytes(b"")
    with pytest.raises(InputError, match=r"3 beyond 99 degrees.*1 unreadable: no image; the file is empty"):
        prepared("aflw2000", 32, tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"nan 0 0 0 1 0 0 0 1 0 0 900", "11 finite numbers; 12"),
        (b"1,0 0 0 0 1 0 0 0 1 0 0 900", "decimal points"),
        (b"", "0 finite numbers; 12"),
        (b"\xff\xfe\x00", "can't decode"),
    ],
)
def test_words_that_are_no_numbers_are_named(tmp_path: Path, content: bytes, words: str) -> None:
    write_biwi(tmp_path, 2)
    (tmp_path / "BIWI" / "01" / "frame_00001_pose.txt").write_bytes(content)
    with pytest.raises(InputError, match=words):
        prepared("biwi", 32, tmp_path)


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    write_biwi(tmp_path, 2)
    before = prepared("biwi", 32, tmp_path)
    pose = tmp_path / "BIWI" / "01" / "frame_00001_pose.txt"
    pose.write_bytes(b"\xef\xbb\xbf" + pose.read_bytes())
    assert prepared("biwi", 32, tmp_path).fingerprint == before.fingerprint


# the real data, where it is


@pytest.mark.slow
def test_real_aflw2000_keeps_1969(real_data: Path) -> None:
    data = prepared("aflw2000", 32, real_data, jobs=2)
    assert len(data) == 1969
    assert data.meta["found"] == 2000
    assert data.meta["unreadable"] == []
    np.testing.assert_allclose(to_euler(torch.from_numpy(data.rotations)).numpy(), data.angles, atol=1e-2)


def test_real_300w_lp_flips_agree_with_ours(real_data: Path) -> None:
    """The set's own mirror images carry the mirrored labels."""
    w300lp = REAL_SETS["300w_lp"]
    records = {record.image_id: record for record in w300lp.records(real_data)}
    pairs = 0
    for image_id, record in records.items():
        subset, name = image_id.split("/")
        flipped = records.get(f"{subset}_Flip/{name}")
        if flipped:
            ours = mirror(torch.from_numpy(rotations_of([w300lp.label(record)])))
            theirs = torch.from_numpy(rotations_of([w300lp.label(flipped)]))
            assert geodesic_degrees(ours, theirs) < 1.5  # both were fitted, to one photograph and to its mirror image
            assert record.identity == flipped.identity
            pairs += 1
    assert pairs == 4


def test_real_images_turn_as_the_labels_say(real_data: Path) -> None:
    """Landmarks of AFLW2000-3D: yaw > 0 moves the nose left of the eyes, pitch > 0 up, roll > 0 clockwise."""
    from scipy.io import loadmat

    aflw2000 = REAL_SETS["aflw2000"]
    turns, angles = [], []
    for record in aflw2000.records(real_data)[:300]:
        label = aflw2000.label(record)
        if np.abs(label.angles).max() > 60:
            continue
        points = loadmat(record.label)["pt3d_68"][:2]
        eyes = points[:, 36:48].mean(1)
        across = points[:, 42:48].mean(1) - points[:, 36:42].mean(1)
        scale = np.ptp(points[1])
        nose = (points[:, 30] - eyes) / scale
        turns.append((nose[0], nose[1], np.degrees(np.arctan2(across[1], across[0]))))
        angles.append(label.angles)
    correlation = np.corrcoef(np.array(turns).T, np.array(angles).T)[:3, 3:]
    assert correlation[0, 0] < -0.6
    assert correlation[1, 1] < -0.6
    assert correlation[2, 2] > 0.8


def test_real_biwi_frames_and_crops_agree(real_data: Path, tmp_path: Path) -> None:
    """A frame of the original and its crop by a face detector show the same label and nearly the same square."""
    if not (real_data / "BIWI_full").is_dir():
        pytest.skip("no BIWI_full with original frames")
    (tmp_path / "BIWI").symlink_to(real_data / "BIWI_full")
    biwi = REAL_SETS["biwi"]
    crops = {record.image_id: record for record in biwi.records(real_data)}
    compared = 0
    for record in biwi.records(tmp_path):
        if record.image_id in crops:
            label = biwi.label(record)
            np.testing.assert_allclose(label.rotation, biwi.label(crops[record.image_id]).rotation, atol=1e-6)
            assert label.box is not None
            side = label.box[2] - label.box[0]
            with Image.open(crops[record.image_id].image) as crop:
                assert 0.9 < side / crop.width < 1.1
            compared += 1
    assert compared == 4


def test_label_of_a_record_without_image_file(tmp_path: Path) -> None:
    missing = Record(tmp_path / "a.jpg", tmp_path / "a.mat", "a", "a")
    with pytest.raises(InputError, match="no such file"):
        REAL_SETS["aflw2000"].label(missing)
