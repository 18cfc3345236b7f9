"""From persons, shots and rotations to pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mhpe.data.crops import LANDMARK_SCALE, LANDMARK_UP
from mhpe.synthheads import scene
from mhpe.synthheads.accessories import Accessories
from mhpe.synthheads.appearance import albedo, hair_cover, hair_displacement, shade, stack, vertex_normals
from mhpe.synthheads.head_model import EYE, head_model
from mhpe.synthheads.makeup import draw_makeup
from mhpe.synthheads.population import Person, Shot
from mhpe.synthheads.rasterizer import rasterize
from mhpe.synthheads.varied import change_proportions

SUPERSAMPLING = 2


@dataclass(frozen=True)
class Scene:
    """One picture to render: person, shot, the head's rotation (3, 3), background (size, size, 3) in linear RGB."""

    person: Person
    shot: Shot
    rotation: NDArray[np.float64]
    background: NDArray[np.float64]


class Renderer:
    """Renders batches of scenes as square pictures with sides of ``size`` pixels."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.model = head_model()
        self.accessories = Accessories(self.model)
        heads = len(self.model.mean)
        self.triangles = torch.cat((self.model.triangles, self.accessories.triangles + heads))
        shininess = torch.ones(heads + self.accessories.count, 1)
        shininess[:heads][self.model.part == EYE] = 3.0
        shininess[heads:] = 0.6
        self._shininess = shininess
        # What a pixel shows: its place on the mean head, and whether that is the face's skin.
        self._place = torch.zeros(heads + self.accessories.count, 3)
        self._place[:heads, :2] = self.model.mean[:, :2]
        self._place[:heads, 2] = self.model.regions["face"]

    @torch.no_grad()
    def render(self, scenes: Sequence[Scene]) -> NDArray[np.uint8]:
        """Pictures (B, size, size, 3) of B scenes."""
        persons, shots = [s.person for s in scenes], [s.shot for s in scenes]
        cover = hair_cover(self.model, persons)
        vertices = self._vertices(scenes, cover)
        heads = len(self.model.mean)
        normals = vertex_normals(vertices, self.triangles)
        back = normals[:, heads:, 2:] < 0  # accessories are seen from both sides
        normals[:, heads:] = torch.where(back, -normals[:, heads:], normals[:, heads:])
        occlusion = torch.ones(*vertices.shape[:2], 1)
        occlusion[:, :heads, 0] = (self.model.occlusion + 0.3 * cover).clamp(0, 1)
        colour = torch.cat((albedo(self.model, persons, shots, cover), self.accessories.albedo(persons)), 1)
        lit = shade(colour, normals, occlusion, self._shininess, shots)
        screen, face = self.project(vertices, shots)
        drawn = self._draw(screen, lit, cover, persons, shots)
        foreground, visible_face, coverage = drawn[:, :3], drawn[:, 3], drawn[:, 4:]
        foreground = _expose(foreground, coverage, stack([shot.brightness for shot in shots]))
        behind = stack([s.background for s in scenes]).permute(0, 3, 1, 2)
        picture = foreground + (1 - coverage) * behind
        return _photograph(picture, face, visible_face, shots)

    def _vertices(self, scenes: Sequence[Scene], cover: Tensor) -> Tensor:
        """Vertices of head and accessories in camera directions, (B, V, 3), the head's centre at 0."""
        import roma  # loads torch._dynamo: seconds

        model = self.model
        persons = [s.person for s in scenes]
        strengths = [[s.shot.expression.get(name, 0.0) for name in model.expression_names] for s in scenes]
        identity = stack([person.identity for person in persons])
        face = model.shapes(identity, stack(strengths))
        if persons[0].varied:
            face = change_proportions(model, face, persons)
        face = face + hair_displacement(model, persons, cover)
        worn = torch.stack([self.accessories.vertices(person, one) for person, one in zip(persons, face, strict=True)])
        vertices = torch.cat((face, worn), 1)
        hair_share = ((2.0 - worn[..., 1:2]) / 0.8).clamp(0, 1)  # long hair below the chin lies on the body
        hair_share[:, self.accessories.hair :] = 1
        head_share = torch.cat((model.head_share.expand(len(scenes), -1, -1), hair_share), 1)
        head = stack([s.rotation for s in scenes])
        follow = stack([s.shot.body_share for s in scenes])[:, None]
        body = roma.rotvec_to_rotmat(roma.rotmat_to_rotvec(head) * follow)
        with_head = vertices @ head.mT
        with_body = (vertices - model.neck) @ body.mT + (head @ model.neck)[:, None]
        return torch.lerp(with_body, with_head, head_share)

    def project(self, vertices: Tensor, shots: Sequence[Shot]) -> tuple[Tensor, Tensor]:
        """Perspective projection into the face square of the protocols' crop rule.

        The results are the vertices on the screen (B, V, 3), x and y in pixels and 1 / depth, and the boxes of the
        landmarks (B, 4) in pixels.
        """
        distance = stack([shot.distance for shot in shots])[:, None]
        nearness = distance / (distance - vertices[..., 2])
        flat = vertices[..., :2] * nearness[..., None]
        marks = flat[:, self.model.landmarks]
        low, high = marks.amin(1), marks.amax(1)
        side = LANDMARK_SCALE * (high - low).amax(1, keepdim=True)
        centre = (low + high) / 2
        centre[:, 1:] -= LANDMARK_UP * side
        centre = centre - side * stack([shot.crop_shift for shot in shots])
        scale = self.size / (side * stack([shot.crop_scale for shot in shots])[:, None])

        def to_pixels(points: Tensor) -> Tensor:
            return (points - centre[:, None]) * scale[:, None] + self.size / 2

        face = torch.cat((to_pixels(low[:, None]), to_pixels(high[:, None])), -1)[:, 0]
        return torch.cat((to_pixels(flat), nearness[..., None]), -1), face

    def _draw(
        self, screen: Tensor, lit: Tensor, cover: Tensor, persons: Sequence[Person], shots: Sequence[Shot]
    ) -> Tensor:
        """Colour, visible face and coverage, (B, 5, size, size), antialiased by supersampling."""
        fine = self.size * SUPERSAMPLING
        scaled = screen * screen.new_tensor([SUPERSAMPLING, SUPERSAMPLING, 1])
        place = self._place.repeat(len(screen), 1, 1)
        place[:, : cover.shape[1], 2] *= 1 - cover
        drawn = rasterize(scaled, torch.cat((lit, place), 2), self.triangles, len(self.model.triangles), fine)
        colour = draw_makeup(drawn[..., :3], drawn[..., 3:5], drawn[..., 5], persons, shots)
        drawn = torch.cat((colour, drawn[..., 5:]), 3)
        return torch.nn.functional.avg_pool2d(drawn.permute(0, 3, 1, 2), SUPERSAMPLING)


def _expose(foreground: Tensor, coverage: Tensor, brightness: Tensor) -> Tensor:
    """Bring the head to its brightness and soften highlights as film does."""
    solid = coverage > 0.5
    mean = (foreground.mean(1, keepdim=True) * solid).sum((1, 2, 3)) / solid.sum((1, 2, 3)).clamp_min(1)
    exposed = foreground * (brightness / mean.clamp_min(1e-3))[:, None, None, None]
    return torch.where(exposed > 0.7, 0.7 + 0.3 * torch.tanh((exposed - 0.7) / 0.3), exposed)


def _photograph(picture: Tensor, boxes: Tensor, face: Tensor, shots: Sequence[Shot]) -> NDArray[np.uint8]:
    """Occluders, lens blur, colour, tone curve and sensor noise: linear RGB (B, 3, S, S) to bytes (B, S, S, 3)."""
    size = picture.shape[-1]
    images = picture.permute(0, 2, 3, 1).double().numpy()
    masks = face.double().numpy()
    for i, shot in enumerate(shots):
        if shot.occluder:
            left, top, right, bottom = boxes[i].tolist()
            rng = np.random.default_rng([shot.scene, 1])
            images[i] = scene.occlude(rng, images[i], (left, top, right, bottom), masks[i])
    result = torch.from_numpy(images).float().permute(0, 3, 1, 2)
    sigmas = np.array([shot.blur for shot in shots]) * size / 64
    for sigma in np.unique(sigmas[sigmas > 0]):
        chosen = torch.from_numpy(np.flatnonzero(sigmas == sigma))
        result[chosen] = scene.gaussian_blur(result[chosen], float(sigma))
    grey = result.mean(1, keepdim=True)
    saturation = torch.tensor([0.0 if shot.grey else shot.saturation for shot in shots])[:, None, None, None]
    display = (grey + (result - grey) * saturation).clamp(0, 1) ** (1 / 2.2)
    for i, shot in enumerate(shots):
        if shot.noise:
            noise = np.random.default_rng([shot.scene, 2]).standard_normal((3, size, size), dtype=np.float32)
            display[i] += shot.noise * torch.from_numpy(noise)
    return (display.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy()
