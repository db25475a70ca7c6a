// Which point is under the pointer: all are looked at, which takes about a millisecond for 70,000.

const REACH = 9; // pixels from a point's middle, at least

function picked(x, y, camera, positions, colors, size) {
  const out = new Float32Array(4);
  let [best, least] = [-1, Infinity];
  for (let i = 0; 3 * i < positions.length; i++) {
    const kind = colors[4 * i + 3];
    if (kind === HIDDEN || !camera.project(positions, 3 * i, out)) continue;
    const [dx, dy] = [out[0] - x, out[1] - y];
    const square = dx * dx + dy * dy;
    const radius = (size * out[3]) / 2;
    if (square > Math.max(radius, REACH) ** 2) continue;
    // Of the points that cover the place, the nearest to the eye; else the nearest to the place.
    const rank = (square <= radius * radius ? -out[2] : 1e3 + square) + (kind === DIMMED ? 1e6 : 0);
    if (rank < least) [best, least] = [i, rank];
  }
  return best;
}
