// Where points come on the stage. Lengths are CSS pixels; the renderers and the picker share this.

const DISTANCE = 3.2; // from the eye to the middle, where nearly all points lie within 1 of the middle
const NEAREST = 0.25; // points nearer to the eye than this are not drawn
const FILLED = 0.42; // of the shorter side of the stage, by a radius of 1
const START = [0.35, -0.5]; // radians down and to the left: a cube seen straight on would look flat

class Camera {
  constructor(flat) {
    this.flat = flat;
    this.width = this.height = 1;
    this.reset();
  }

  reset() {
    this.rotation = [1, 0, 0, 0, 1, 0, 0, 0, 1]; // row by row
    this.zoom = 1;
    this.panX = this.panY = 0;
    if (!this.flat) {
      this.turn(START[1], 0);
      this.turn(0, START[0]);
    }
  }

  get scale() {
    return FILLED * Math.min(this.width, this.height) * this.zoom;
  }

  // Turn about the stage's own axes, in radians, so that points follow the pointer from every side.
  turn(right, down) {
    const [cr, sr, cd, sd] = [Math.cos(right), Math.sin(right), Math.cos(down), Math.sin(down)];
    const [a, b, c, d, e, f, g, h, i] = this.rotation;
    const x = [cr * a + sr * g, cr * b + sr * h, cr * c + sr * i];
    const z = [cr * g - sr * a, cr * h - sr * b, cr * i - sr * c];
    const y = [cd * d - sd * z[0], cd * e - sd * z[1], cd * f - sd * z[2]];
    const w = [sd * d + cd * z[0], sd * e + cd * z[1], sd * f + cd * z[2]];
    this.rotation = [...x, ...y, ...w];
  }

  pan(x, y) {
    this.panX += x;
    this.panY += y;
  }

  // Zoom such that what is at x, y stays there.
  zoomAt(factor, x = this.width / 2, y = this.height / 2) {
    const zoom = Math.min(Math.max(this.zoom * factor, 0.3), 60);
    const change = zoom / this.zoom;
    this.panX = (this.panX - (x - this.width / 2)) * change + (x - this.width / 2);
    this.panY = (this.panY - (y - this.height / 2)) * change + (y - this.height / 2);
    this.zoom = zoom;
  }

  // Write x, y on the stage, the height z towards the eye, and how much larger than in the middle to `out`;
  // return whether it can be seen.
  project(positions, at, out) {
    const r = this.rotation;
    const [x, y, z] = [positions[at], positions[at + 1], positions[at + 2]];
    const height = r[6] * x + r[7] * y + r[8] * z;
    const grow = this.flat ? 1 : DISTANCE / Math.max(DISTANCE - height, NEAREST);
    const scale = this.scale * grow;
    out[0] = this.width / 2 + this.panX + scale * (r[0] * x + r[1] * y + r[2] * z);
    out[1] = this.height / 2 + this.panY - scale * (r[3] * x + r[4] * y + r[5] * z);
    out[2] = height;
    out[3] = grow;
    return this.flat || DISTANCE - height > NEAREST;
  }
}
