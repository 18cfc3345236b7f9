"""A z-buffer rasterizer in plain PyTorch, for batches of small images."""

import torch
from torch import Tensor

_SIDES = (1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 24, 40, 80, 160, 512)
"""Triangles are treated together by the larger side of their boxes in pixels, up to each of these."""


def rasterize(screen: Tensor, colours: Tensor, triangles: Tensor, two_sided: int, size: int) -> Tensor:
    """Draw triangles with interpolated vertex colours, the nearest one on top.

    Args:
        screen: (B, V, 3) x and y in pixels, y down, and a depth that grows towards the viewer and is affine
            on the screen.
        colours: (B, V, C) colour of each vertex.
        triangles: (T, 3) vertex numbers; those that are counter-clockwise on the screen show their back and
            are left out.
        two_sided: number of the first triangle that is drawn from both sides.
        size: side of the images in pixels.

    Returns:
        (B, size, size, C + 1) colour and coverage; zero where nothing is drawn.
    """
    batch, vertices = screen.shape[:2]
    channels = colours.shape[-1]
    image = screen.new_zeros(batch * size * size, channels + 1)
    corners = screen[:, triangles]  # (B, T, 3, 3)
    x, y = corners[..., 0], corners[..., 1]
    dx1, dy1 = x[..., 1] - x[..., 0], y[..., 1] - y[..., 0]
    dx2, dy2 = x[..., 2] - x[..., 0], y[..., 2] - y[..., 0]
    area = dx1 * dy2 - dx2 * dy1
    left = (x.amin(-1) - 0.5).ceil().clamp_min(0)
    right = (x.amax(-1) - 0.5).floor().clamp_max(size - 1)
    top = (y.amin(-1) - 0.5).ceil().clamp_min(0)
    bottom = (y.amax(-1) - 0.5).floor().clamp_max(size - 1)
    seen = area > 0
    seen[:, two_sided:] |= area[:, two_sided:] < 0
    chosen = (seen & (left <= right) & (top <= bottom)).flatten().nonzero().squeeze(1)
    if not len(chosen):
        return image.view(batch, size, size, -1)

    def pick(values: Tensor) -> Tensor:
        return values.flatten()[chosen]

    left, top = pick(left), pick(top)
    extent = torch.maximum(pick(right) - left, pick(bottom) - top).int() + 1
    inverse = 1 / pick(area)
    # Barycentric weights w1 = x1 gx + y1 gy + c1 (and 2) at pixel (left + gx, top + gy).
    x1, y1, x2, y2 = pick(dy2) * inverse, -pick(dx2) * inverse, -pick(dy1) * inverse, pick(dx1) * inverse
    from_x, from_y = left + 0.5 - pick(x[..., 0]), top + 0.5 - pick(y[..., 0])
    c1, c2 = x1 * from_x + y1 * from_y, x2 * from_x + y2 * from_y
    image_of = torch.div(chosen, len(triangles), rounding_mode="floor")
    first_pixel = image_of * (size * size) + top.long() * size + left.long()
    room_x, room_y = size - left, size - top

    hits: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []  # triangle, w1, w2, pixel of each covered pixel
    smaller = 0
    for side in _SIDES:
        group = ((extent > smaller) & (extent <= side)).nonzero().squeeze(1)
        smaller = side
        if not len(group):
            continue
        step = torch.arange(side, dtype=screen.dtype)
        gx = step.where(step < room_x[group, None], torch.nan)
        gy = step.where(step < room_y[group, None], torch.nan)
        w1 = (x1[group, None] * gx)[:, None] + (y1[group, None] * gy + c1[group, None])[:, :, None]
        w2 = (x2[group, None] * gx)[:, None] + (y2[group, None] * gy + c2[group, None])[:, :, None]
        inside = (torch.minimum(torch.minimum(w1, w2), 1 - w1 - w2) >= 0).flatten().nonzero().squeeze(1)
        row = torch.div(inside, side * side, rounding_mode="floor")
        cell = inside - row * (side * side)
        offset = torch.div(cell, side, rounding_mode="floor") * size + cell % side
        hits.append((group[row], w1.flatten()[inside], w2.flatten()[inside], first_pixel[group[row]] + offset))
    triangle, w1, w2, pixel = (torch.cat(parts) for parts in zip(*hits, strict=True))

    corner = triangles[chosen % len(triangles)] + (image_of * vertices)[:, None]  # vertex numbers in the batch
    depths = screen[..., 2].flatten()[corner]
    nearest_first, towards_1, towards_2 = depths[:, 0], depths[:, 1] - depths[:, 0], depths[:, 2] - depths[:, 0]
    depth = nearest_first[triangle] + w1 * towards_1[triangle] + w2 * towards_2[triangle]
    nearest = depth.new_full((batch * size * size,), -torch.inf).scatter_reduce_(0, pixel, depth, "amax")
    won = (depth == nearest[pixel]).nonzero().squeeze(1)
    w1, w2 = w1[won, None], w2[won, None]
    a, b, c = corner[triangle[won]].unbind(1)
    flat = colours.flatten(0, 1)
    image[pixel[won], :channels] = flat[a] * (1 - w1 - w2) + flat[b] * w1 + flat[c] * w2
    image[pixel[won], channels] = 1
    return image.view(batch, size, size, -1)
