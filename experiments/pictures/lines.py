"""Lines of writing in a picture: ink is parted into components, components into lines.

Ruled lines, specks and blots at the border are dropped. Needs connected components, box sums, and maximum filters only.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from experiments.pictures.cuts import LINE_HEIGHT, Part, Segment, cut_line, list_segments
from experiments.pictures.ink import find_ink

Color = NDArray[np.uint8]  # (height, width, 3)
Mask = NDArray[np.bool_]  # (height, width)
Strength = NDArray[np.uint8]  # (height, width)

MAX_PIXELS = 3_000_000  # to which larger pictures are reduced
WEAK = 0.2  # strength of ink on faint ruled lines
PALE = 0.4  # of the contrast of most components: paler ones are no writing
FRINGE = 0.15  # strength of ink that belongs to the stroke beside it
LONG = 6.0  # heights: components that long are no digits, nor a few that touch
MIN_SIDE = 6  # pixels: smaller components are no digits
RULED = 0.5  # of a picture's side: thin runs that long are ruled lines
SQUARED = 0.7  # of its height, on squared paper
RULED_WIDTH, RULED_HEIGHT = 2.5, 2.0  # of the height of digits: and those too
SLOPES = (0.0, 0.01, -0.01, 0.02, -0.02, 0.04, -0.04, 0.06, -0.06)  # of ruled lines, as tangents
COVERAGE = 0.9  # of a run that is ink
RULED_THICKNESS = 0.15  # of the height of digits, or of the picture's shorter side while that is unknown
TALL = 0.45  # of the height of digits: smaller components do not start a line
OVERLAP = 0.4  # of the lower of two components: by which neighbors in a line overlap vertically
REACH = 4.0  # heights of digits between neighbors in a line
SAME_LINE = 0.5  # heights of digits between the axes of two parts of a line
NEAR_LINE = 0.8  # heights of digits from the axis of a line within which small components belong to it
SPECK = 0.006  # of the square of the height of digits: components with less ink are dropped
BLOT = 0.3  # of its longer side: a component with so much on the border of the picture is a blot
HUGE = 3.0  # medians of height: more is no digit


@dataclass(frozen=True, eq=False)
class TextLine:
    """A line of writing.

    Attributes
    ----------
    parts
        Its components with their candidate cuts, from left to right.
    segments
        What may be a digit: the ink between two positions.
    scale
        Pixels of the picture for one pixel of the parts.
    left, top
        Where the origin of the parts lies, in pixels of the picture.
    """

    parts: tuple[Part, ...]
    segments: tuple[Segment, ...]
    scale: float
    left: float
    top: float

    @property
    def positions(self) -> int:
        """Number of the last position: its end."""
        return sum(len(part.seams) + 1 for part in self.parts)

    def box(self, segment: Segment) -> tuple[int, int, int, int]:
        """Return x, y, width and height of a segment in pixels of the picture."""
        x, y = round(self.left + segment.x * self.scale), round(self.top + segment.y * self.scale)
        height, width = segment.ink.shape
        return x, y, max(1, round(width * self.scale)), max(1, round(height * self.scale))


@dataclass(frozen=True)
class Component:
    """A connected component: its label and its bounding box in pixels."""

    label: int
    x: int
    y: int
    width: int
    height: int
    area: int

    @property
    def middle(self) -> float:
        """Vertical center."""
        return self.y + self.height / 2

    @property
    def right(self) -> int:
        """First column behind it."""
        return self.x + self.width


def find_rows(picture: Color) -> list[TextLine]:
    """Find the lines of writing in a picture, from top to bottom; none if there is no ink.

    Parameters
    ----------
    picture
        ``uint8 (height, width, 3)`` of any size, dark ink on light paper or light on dark.
    """
    reduced, scale = _reduce(picture)
    ink = find_ink(reduced)
    if ink is None:
        return []
    mask = remove_ruled_lines(ink.mask, ink.strength > WEAK)
    contrast = np.abs(reduced.astype(np.int16) - ink.paper).mean(axis=2)
    labels, components = label_components(mask, contrast)
    height = digit_height(components)
    if height < MIN_SIDE:
        return []
    strength = np.rint(ink.strength * 255).astype(np.uint8)
    strength[ink.mask & ~mask] = 0
    labels = _widen(labels, strength)
    lines = [line for line in group_lines(components, height) if digit_height(line)]
    rows = [_cut(line, labels, strength, scale) for line in lines]
    return [row for row in rows if row.segments]


def _reduce(picture: Color) -> tuple[Color, float]:
    """Reduce a picture to `MAX_PIXELS`; the second value is the size of its new pixels."""
    height, width = picture.shape[:2]
    scale = max(1.0, (height * width / MAX_PIXELS) ** 0.5)
    if scale == 1:
        return picture, 1.0
    size = (max(1, round(width / scale)), max(1, round(height / scale)))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX)), scale


def remove_ruled_lines(mask: Mask, weak: Mask) -> Mask:
    """Remove long thin runs of ink, horizontal and vertical, except where strokes cross them.

    Horizontal runs along half of the picture go first; without them the height of digits shows, and with it shorter
    ruled lines, as of boxes on forms. Vertical ones may be as short as a picture of one line is high only if there are
    horizontal ones too: a 1 is a long thin run.

    Parameters
    ----------
    weak
        A mask with a lower threshold, in which faint lines have no gaps.
    """
    thickness = max(2.0, RULED_THICKNESS * min(mask.shape) / 2)
    level = _ruled(mask, weak, RULED * mask.shape[1], thickness)
    height = digit_height(label_components(mask & ~level)[1])
    if height < MIN_SIDE:
        return mask & ~level
    thickness = max(2.0, RULED_THICKNESS * height)
    level |= _ruled(mask & ~level, weak, RULED_WIDTH * height, thickness)
    length = RULED_HEIGHT * height
    if level.any():
        length = min(length, SQUARED * mask.shape[0])
    upright = _ruled((mask & ~level).T, weak.T, length, thickness).T
    kept = mask & ~level & ~upright
    return kept | _bridges(level, kept) | _bridges(upright.T, kept.T).T


def _ruled(mask: Mask, weak: Mask, length: float, thickness: float) -> Mask:
    """Return the ink that lies on horizontal runs of at least that length and is hardly thicker than they are."""
    found = np.zeros_like(mask)
    if length > mask.shape[1]:
        return found
    for slope in SLOPES:
        found |= _runs(weak, max(3, int(length)), slope)
    found = ndimage.maximum_filter1d(found, 3, axis=0) & mask
    if not found.any():
        return found
    extent = _vertical_extent(mask)
    return found & (extent <= min(thickness, float(np.median(extent[found])) + 1))


def _bridges(removed: Mask, kept: Mask) -> Mask:
    """Return removed ink with kept ink both above and below: strokes cross the line there."""
    if not removed.any():
        return removed
    reach = int(np.median(_vertical_extent(removed)[removed])) + 2
    beside = ndimage.maximum_filter1d(kept, 3, axis=1)
    above = ndimage.maximum_filter1d(beside, reach, axis=0, origin=(reach - 1) // 2, mode="constant")
    below = ndimage.maximum_filter1d(beside, reach, axis=0, origin=-(reach // 2), mode="constant")
    return removed & above & below


def _runs(mask: Mask, length: int, slope: float) -> Mask:
    """Return the pixels on runs of that length and slope, of which `COVERAGE` is ink."""
    shifts = np.rint(slope * np.arange(mask.shape[1])).astype(np.intp) % mask.shape[0]
    level = _shifted(mask, shifts)
    sums = ndimage.uniform_filter1d(level.astype(np.float32), length, axis=1, mode="constant")
    full = sums >= COVERAGE - 1e-3
    if not full.any():
        return np.zeros_like(mask)
    return _shifted(ndimage.maximum_filter1d(full, length, axis=1, mode="constant") & level, -shifts % mask.shape[0])


def _shifted(mask: Mask, shifts: NDArray[np.intp]) -> Mask:
    """Move each column up by its shift, around the edge; columns of one shift move together."""
    moved = np.empty_like(mask)
    starts = [0, *(np.flatnonzero(np.diff(shifts)) + 1)]
    for start, stop in zip(starts, [*starts[1:], shifts.size], strict=True):
        moved[:, start:stop] = np.roll(mask[:, start:stop], -int(shifts[start]), axis=0)
    return moved


def _vertical_extent(mask: Mask) -> NDArray[np.int32]:
    """Return the length of the vertical run of ink through each pixel, 0 outside ink."""
    position = np.arange(mask.shape[0], dtype=np.int32)[:, None]
    above = np.maximum.accumulate(np.where(mask, -1, position), axis=0)
    below = np.minimum.accumulate(np.where(mask, mask.shape[0], position)[::-1], axis=0)[::-1]
    return np.where(mask, below - above - 1, 0).astype(np.int32)


def label_components(
    mask: Mask, contrast: NDArray[np.floating] | None = None
) -> tuple[NDArray[np.int32], list[Component]]:
    """Label the 8-connected components of ink; the list leaves out blots at the border and pale components.

    Parameters
    ----------
    contrast
        Between picture and paper, (height, width). Without it no component is pale.
    """
    labels, count = ndimage.label(mask, np.ones((3, 3), int))
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    border = np.concatenate([labels[0], labels[-1], labels[1:-1, 0], labels[1:-1, -1]])
    on_border = np.bincount(border, minlength=count + 1)
    components = []
    for label, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        height, width = rows.stop - rows.start, columns.stop - columns.start
        if on_border[label] <= max(2, BLOT * max(height, width)):
            components.append(Component(label, columns.start, rows.start, width, height, int(areas[label])))
    if contrast is None or not components:
        return labels, components
    means = np.bincount(labels.ravel(), contrast.ravel(), minlength=count + 1) / np.maximum(areas, 1)
    usual = weighted_median([(float(means[c.label]), c.height) for c in components])
    return labels, [c for c in components if means[c.label] >= PALE * usual]


def weighted_median(values: list[tuple[float, float]]) -> float:
    """Return the median of (value, weight) pairs."""
    ordered = sorted(values)
    weights = np.cumsum([weight for _, weight in ordered])
    return ordered[int(np.searchsorted(weights, weights[-1] / 2))][0]


def digit_height(components: list[Component]) -> float:
    """Estimate the height of digits: the median of the components' heights, weighted by their height; 0 for none."""
    heights = [c.height for c in components if c.width <= LONG * c.height and c.height >= MIN_SIDE]
    return weighted_median([(height, height) for height in heights]) if heights else 0.0


def group_lines(components: list[Component], height: float) -> list[list[Component]]:
    """Group components into lines of writing, from top to bottom, each from left to right.

    Parameters
    ----------
    height
        Of the digits, in pixels.
    """
    size = [c for c in components if c.height <= HUGE * height and c.area >= SPECK * height**2]
    tall = sorted((c for c in size if c.height >= TALL * height), key=lambda c: c.x)
    lines = _join_parts(_chain(tall, height), height)
    lines.sort(key=lambda line: float(np.mean([c.middle for c in line])))
    for component in (c for c in size if c.height < TALL * height):
        near = min(lines, key=lambda line: _distance(line, component), default=None)
        if near is not None and _distance(near, component) <= NEAR_LINE * height:
            near.append(component)
    return [sorted(line, key=lambda c: c.x) for line in lines]


def _chain(tall: list[Component], height: float) -> list[list[Component]]:
    """Chain neighbors from left to right that overlap vertically."""
    chains: list[list[Component]] = []
    for component in tall:
        fitting = [chain for chain in chains if _continues(chain, component, height)]
        if fitting:
            min(fitting, key=lambda chain: abs(chain[-1].middle - component.middle)).append(component)
        else:
            chains.append([component])
    return chains


def _continues(chain: list[Component], component: Component, height: float) -> bool:
    if component.x - max(c.right for c in chain) > REACH * height:
        return False
    last = chain[-1]
    overlap = min(last.y + last.height, component.y + component.height) - max(last.y, component.y)
    return overlap >= OVERLAP * min(last.height, component.height)


def _join_parts(chains: list[list[Component]], height: float) -> list[list[Component]]:
    """Join chains that lie on one axis and beside each other, as the groups of a number do."""
    lines: list[list[Component]] = []
    for chain in sorted(chains, key=len, reverse=True):
        for line in lines:
            beside = all(not (a.x < b.right and b.x < a.right) for a in chain for b in line)
            apart = np.median([abs(_axis(line, c) - c.middle) for c in chain])
            if beside and apart <= SAME_LINE * height:
                line.extend(chain)
                line.sort(key=lambda c: c.x)
                break
        else:
            lines.append(list(chain))
    return lines


def _axis(line: list[Component], component: Component) -> float:
    """Return the height of a line's axis at a component: interpolated between its neighbors, constant beyond."""
    return float(np.interp(component.x, [c.x for c in line], [c.middle for c in line]))


def _distance(line: list[Component], component: Component) -> float:
    """Return the distance of a component from the axis of a line; infinite if it is beside its ends."""
    tall = max(c.height for c in line)
    if component.right < line[0].x - tall or component.x > max(c.right for c in line) + tall:
        return float("inf")
    return abs(_axis(sorted(line, key=lambda c: c.x), component) - component.middle)


def _widen(labels: NDArray[np.int32], strength: Strength) -> NDArray[np.int32]:
    """Widen labels by one pixel where there is some ink: the soft edge of strokes."""
    wide = ndimage.maximum_filter(labels, 3)
    return np.where((labels == 0) & (strength > FRINGE * 255), wide, labels)


def _cut(line: list[Component], labels: NDArray[np.int32], strength: Strength, scale: float) -> TextLine:
    """Bring a line to a height of `LINE_HEIGHT` pixels and part it into pieces."""
    left, top = max(0, min(c.x for c in line) - 1), max(0, min(c.y for c in line) - 1)
    right, bottom = max(c.right for c in line) + 1, max(c.y + c.height for c in line) + 1
    inside = np.isin(labels[top:bottom, left:right], [c.label for c in line])
    ink = np.where(inside, strength[top:bottom, left:right], 0).astype(np.uint8)
    zoom = LINE_HEIGHT / (digit_height(line) or max(c.height for c in line))
    size = (max(1, round(ink.shape[1] * zoom)), max(1, round(ink.shape[0] * zoom)))
    resized = np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BICUBIC))
    parts = cut_line(resized)
    return TextLine(tuple(parts), tuple(list_segments(parts)), scale / zoom, left * scale, top * scale)
