// Two ways to draw the cloud, with one interface: recolor(colors), draw(camera, look), finish().
// `colors` has red, green, blue and how to draw each point: HIDDEN, DIMMED or BRIGHT. A look has the size of
// points in CSS pixels, how much larger the bright ones are (emphasis), the background, and which points to draw:
// every first, every third.

const [HIDDEN, DIMMED, BRIGHT] = [0, 128, 255];
const FOG = 0.55; // of the background's color in the farthest points
const SHRUNK = 0.7; // the size of dimmed points

const VERTEX = `#version 300 es
in vec3 position;
in vec4 color;
uniform mat3 rotation;
uniform vec2 scale, pan;
uniform float size, emphasis, flatness;
uniform vec3 background;
out vec3 shade;
out float width;
void main() {
  vec3 at = rotation * position;
  float away = ${DISTANCE.toFixed(2)} - at.z;
  float grow = flatness > 0.5 ? 1.0 : ${DISTANCE.toFixed(2)} / max(away, ${NEAREST.toFixed(2)});
  float dimmed = 1.0 - step(0.75, color.a);
  // Bright points lie before all dimmed ones, which would hide them.
  float depth = clamp(-at.z / ${DISTANCE.toFixed(2)}, -1.0, 1.0) * 0.49 - 0.5 + dimmed;
  gl_Position = vec4(at.xy * grow * scale + pan, depth, 1.0);
  width = max(size * grow * mix(emphasis, ${SHRUNK.toFixed(2)}, dimmed), 1.0);
  gl_PointSize = width;
  float fog = flatness > 0.5 ? 0.0 : clamp(0.5 - 0.5 * at.z, 0.0, 1.0) * ${FOG.toFixed(2)};
  shade = mix(mix(color.rgb, background, fog), background, dimmed * 0.82);
  if (color.a < 0.25 || away < ${NEAREST.toFixed(2)}) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
in vec3 shade;
in float width;
out vec4 drawn;
void main() {
  float radius = length(gl_PointCoord - 0.5) * width;
  float cover = clamp(width * 0.5 - radius + 0.5, 0.0, 1.0);
  if (cover < 0.2) discard;
  // A darker rim parts neighbors of one color, where points are large enough to have one.
  float rim = width > 5.0 ? smoothstep(0.30, 0.48, radius / width) * 0.28 : 0.0;
  drawn = vec4(shade * (1.0 - rim), cover);
}`;

class WebGLRenderer {
  static create(positions, flat) {
    const canvas = document.createElement("canvas");
    // Smooth edges cost a graphics card nothing, and a processor that stands in for one two thirds of its frames.
    const gl = canvas.getContext("webgl2", { antialias: !inSoftware(), alpha: false });
    try {
      return gl && new WebGLRenderer(canvas, gl, positions, flat);
    } catch (error) {
      console.warn(`drawing without WebGL: ${error.message}`);
      return null;
    }
  }

  constructor(canvas, gl, positions, flat) {
    Object.assign(this, { name: "webgl2", canvas, gl, positions, flat, colors: null });
    this.build();
  }

  // Also after the browser has taken the graphics memory away and given it back.
  build() {
    const { gl } = this;
    this.program = linked(gl, VERTEX, FRAGMENT);
    this.colorBuffer = gl.createBuffer();
    this.at = (name) => gl.getUniformLocation(this.program, name);
    gl.useProgram(this.program);
    this.positionBuffer = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, this.positionBuffer);
    gl.bufferData(gl.ARRAY_BUFFER, this.positions, gl.STATIC_DRAW);
    gl.enable(gl.DEPTH_TEST);
    if (gl.getContextAttributes().antialias) {
      gl.enable(gl.SAMPLE_ALPHA_TO_COVERAGE);
    } else {
      // Edges are mixed with what happens to be drawn already, which no eye sees at this size.
      gl.enable(gl.BLEND);
      gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE);
    }
    if (this.colors) this.recolor(this.colors);
  }

  recolor(colors) {
    this.colors = colors;
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, this.colorBuffer);
    this.gl.bufferData(this.gl.ARRAY_BUFFER, colors, this.gl.DYNAMIC_DRAW);
  }

  draw(camera, { size, emphasis, background, every }) {
    const { gl, at } = this;
    const ratio = resized(this.canvas, camera);
    const [r, g, b] = background.map((value) => value / 255);
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(r, g, b, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.uniformMatrix3fv(at("rotation"), true, camera.rotation);
    gl.uniform2f(at("scale"), (2 * camera.scale) / camera.width, (2 * camera.scale) / camera.height);
    gl.uniform2f(at("pan"), (2 * camera.panX) / camera.width, (-2 * camera.panY) / camera.height);
    gl.uniform1f(at("size"), size * ratio);
    gl.uniform1f(at("emphasis"), emphasis);
    gl.uniform1f(at("flatness"), this.flat ? 1 : 0);
    gl.uniform3f(at("background"), r, g, b);
    attribute(gl, this.program, "position", this.positionBuffer, 3, gl.FLOAT, 12 * every);
    attribute(gl, this.program, "color", this.colorBuffer, 4, gl.UNSIGNED_BYTE, 4 * every);
    gl.drawArrays(gl.POINTS, 0, Math.ceil(this.positions.length / 3 / every));
  }

  finish() {
    this.gl.readPixels(0, 0, 1, 1, this.gl.RGBA, this.gl.UNSIGNED_BYTE, new Uint8Array(4));
  }
}

function inSoftware() {
  const gl = document.createElement("canvas").getContext("webgl2");
  const known = gl?.getExtension("WEBGL_debug_renderer_info");
  const name = known ? gl.getParameter(known.UNMASKED_RENDERER_WEBGL) : "";
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|software|basic render/i.test(name);
}

function linked(gl, vertex, fragment) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(`shaders: ${gl.getProgramInfoLog(program)}`);
  }
  return program;
}

function attribute(gl, program, name, buffer, size, kind, stride) {
  const place = gl.getAttribLocation(program, name);
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
  gl.enableVertexAttribArray(place);
  gl.vertexAttribPointer(place, size, kind, kind === gl.UNSIGNED_BYTE, stride, 0);
}

function resized(canvas, camera) {
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  const [width, height] = [Math.round(camera.width * ratio), Math.round(camera.height * ratio)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  return ratio;
}

// Where there is no WebGL: squares written into the pixels of a canvas, the nearest on top.
class CanvasRenderer {
  constructor(positions, flat) {
    const canvas = document.createElement("canvas");
    Object.assign(this, { name: "canvas", canvas, positions, flat, colors: null });
    this.context = canvas.getContext("2d", { alpha: false });
  }

  recolor(colors) {
    this.colors = colors;
  }

  draw(camera, look) {
    const ratio = resized(this.canvas, camera);
    const { width, height } = this.canvas;
    if (this.pixels?.width !== width || this.pixels?.height !== height) {
      this.pixels = this.context.createImageData(width, height);
      this.words = new Uint32Array(this.pixels.data.buffer);
      this.depths = new Float32Array(width * height);
    }
    this.words.fill(word(look.background));
    this.depths.fill(-Infinity);
    const out = new Float32Array(4);
    for (let i = 0; 3 * i < this.positions.length; i += look.every) {
      const kind = this.colors[4 * i + 3];
      if (kind === HIDDEN || !camera.project(this.positions, 3 * i, out)) continue;
      this.square(out, kind === DIMMED, i, ratio, look);
    }
    this.context.putImageData(this.pixels, 0, 0);
  }

  square([x, y, height, grow], dimmed, i, ratio, { size, emphasis, background }) {
    const side = Math.max(Math.round(size * ratio * grow * 0.85 * (dimmed ? SHRUNK : emphasis)), 1);
    const fog = this.flat ? 0 : Math.min(Math.max(0.5 - 0.5 * height, 0), 1) * FOG;
    const share = dimmed ? 0.82 + 0.18 * fog : fog;
    const color = word(mixed([...this.colors.subarray(4 * i, 4 * i + 3)], background, share));
    const depth = dimmed ? height - 100 : height;
    const [left, top] = [Math.round(x * ratio - side / 2), Math.round(y * ratio - side / 2)];
    const { width, height: rows } = this.canvas;
    for (let row = Math.max(top, 0); row < Math.min(top + side, rows); row++) {
      for (let column = Math.max(left, 0); column < Math.min(left + side, width); column++) {
        const at = row * width + column;
        if (depth < this.depths[at]) continue;
        this.depths[at] = depth;
        this.words[at] = color;
      }
    }
  }

  finish() {}
}

const word = ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
