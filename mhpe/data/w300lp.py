"""300W-LP: synthetic large-pose views of 300-W photographs and their mirror images."""

import re
from pathlib import Path

from mhpe.data.crops import LANDMARK_SCALE, LANDMARK_UP
from mhpe.data.pose_para import read_pose_para
from mhpe.data.source import Label, Record, Source

SUBSETS = ("AFW", "AFW_Flip", "HELEN", "HELEN_Flip", "IBUG", "IBUG_Flip", "LFPW", "LFPW_Flip")


class W300LP(Source):
    """300W-LP (Zhu et al., "Face alignment across large poses: a 3D solution", CVPR 2016)."""

    name = "300w_lp"
    title = "300W-LP"
    folder = "300W_LP"
    licence = "research only"
    published_images = 122415
    crop_rule = f"landmarks pt2d x {LANDMARK_SCALE}, up {LANDMARK_UP}"

    def records(self, data_root: Path) -> list[Record]:
        """All views by subset and name.

        ``AFW_134212_1_3`` is the fourth view of face 1 of photograph 134212; all views of a face and of
        its mirror images are one identity.
        """
        root = self.root(data_root)
        records = [
            Record(path, path.with_suffix(".mat"), f"{subset}/{path.stem}", re.sub(r"_\d+$", "", path.stem))
            for subset in SUBSETS
            for path in sorted((root / subset).glob("*.jpg"))
        ]
        return self._need(records, f"*.jpg in {', '.join(SUBSETS)}", data_root)

    def lacking(self, data_root: Path) -> list[str]:
        """Subsets without a folder."""
        missing = [subset for subset in SUBSETS if not (self.root(data_root) / subset).is_dir()]
        return [f"no {', '.join(missing)}"] if missing else []

    def label(self, record: Record) -> Label:
        """Read the pose and the 68 landmarks."""
        return read_pose_para(record.label, landmarks="pt2d")
