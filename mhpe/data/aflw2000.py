"""AFLW2000-3D: 2,000 photographs, ``image00002.jpg`` beside ``image00002.mat``."""

from pathlib import Path

from mhpe.data.crops import LANDMARK_SCALE, LANDMARK_UP
from mhpe.data.pose_para import read_pose_para
from mhpe.data.source import Label, Record, Source


class AFLW2000(Source):
    """AFLW2000-3D (Zhu et al., "Face alignment across large poses: a 3D solution", CVPR 2016)."""

    name = "aflw2000"
    title = "AFLW2000-3D"
    folder = "AFLW2000"
    licence = "research only"
    published_images = 1969
    crop_rule = f"landmarks pt3d_68 x {LANDMARK_SCALE}, up {LANDMARK_UP}"

    def records(self, data_root: Path) -> list[Record]:
        """All images in the order of their names; every photograph is an identity of its own."""
        images = sorted(self.root(data_root).glob("image*.jpg"))
        records = [Record(path, path.with_suffix(".mat"), path.stem, path.stem) for path in images]
        return self._need(records, "image*.jpg", data_root)

    def label(self, record: Record) -> Label:
        """Read the pose and the 68 three-dimensional landmarks (pt2d has 21, with invisible ones at -1)."""
        return read_pose_para(record.label, landmarks="pt3d_68")
