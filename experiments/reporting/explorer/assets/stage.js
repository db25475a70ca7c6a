// What the reader does on the stage: turn, move, zoom, look at, pick.

const TAP = 5; // pixels a pointer may move and still be a click
const TURN = 0.008; // radians a pixel
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function buildStage(explorer) {
  const { camera } = explorer;
  const [stage, surface] = [byId("stage"), byId("surface")];
  surface.append(explorer.renderer.canvas);
  new ResizeObserver(() => {
    [camera.width, camera.height] = [stage.clientWidth, stage.clientHeight];
    explorer.invalidate();
  }).observe(stage);
  byId("hint").textContent = hintFor(camera.flat);
  pointers(explorer, surface);
  surface.addEventListener("wheel", (event) => {
    event.preventDefault();
    const { x, y } = placeOf(event, surface);
    explorer.move(() => camera.zoomAt(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), x, y));
  }, { passive: false });
  surface.addEventListener("keydown", (event) => keyed(event, explorer));
  document.addEventListener("keydown", ({ key }) => key === "Escape" && explorer.escape());
  byId("reset").addEventListener("click", () => explorer.move(() => camera.reset()));
  byId("size").addEventListener("input", ({ target }) => explorer.view({ size: Number(target.value) }));
  byId("names").addEventListener("click", () => explorer.view({ names: !explorer.state.names }));
  byId("rotate").hidden = camera.flat;
  byId("rotate").addEventListener("click", () => explorer.view({ rotating: !explorer.state.rotating }));
}

const hintFor = (flat) =>
  matchMedia("(pointer: coarse)").matches
    ? `Drag to ${flat ? "move" : "turn"}, pinch to zoom, tap a point`
    : `Drag to ${flat ? "move" : "turn, shift-drag to move"}, scroll to zoom, click a point to keep it`;

function placeOf(event, surface) {
  const box = surface.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

function pointers(explorer, surface) {
  const down = new Map(); // by pointer: where it was last
  let travelled = 0;
  surface.addEventListener("pointerdown", (event) => {
    if (!down.size) travelled = 0;
    down.set(event.pointerId, placeOf(event, surface));
    surface.setPointerCapture(event.pointerId);
  });
  surface.addEventListener("pointermove", (event) => {
    const [now, last] = [placeOf(event, surface), down.get(event.pointerId)];
    explorer.inside = event.pointerType !== "touch" || down.size > 0;
    if (!last) return explorer.hover(now);
    travelled += Math.hypot(now.x - last.x, now.y - last.y);
    if (travelled > TAP) dragged(explorer, down, event, now, last);
    down.set(event.pointerId, now);
  });
  const up = (event) => {
    const place = placeOf(event, surface);
    const last = down.delete(event.pointerId);
    surface.classList.remove("dragging");
    const tapped = event.type === "pointerup" && last && !down.size && travelled <= TAP;
    if (tapped) explorer.select(explorer.pick(place.x, place.y));
    if (event.pointerType === "touch" && !down.size) explorer.leave();
  };
  surface.addEventListener("pointerup", up);
  surface.addEventListener("pointercancel", up);
  surface.addEventListener("pointerleave", () => explorer.leave());
}

function dragged(explorer, down, event, now, last) {
  const { camera } = explorer;
  const [dx, dy] = [now.x - last.x, now.y - last.y];
  byId("surface").classList.add("dragging");
  explorer.hover(null);
  const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
  explorer.move(() => {
    if (other) {
      const [was, is] = [last, now].map(({ x, y }) => Math.max(Math.hypot(x - other.x, y - other.y), 1));
      camera.pan(dx / 2, dy / 2);
      camera.zoomAt(is / was, (now.x + other.x) / 2, (now.y + other.y) / 2);
    } else if (camera.flat || event.shiftKey || event.buttons === 4) {
      camera.pan(dx, dy);
    } else {
      camera.turn(dx * TURN, dy * TURN);
    }
  });
}

function keyed(event, explorer) {
  const { camera } = explorer;
  const step = KEYS[event.key];
  const zoom = { "+": 1.25, "=": 1.25, "-": 0.8 }[event.key];
  if (!(step || zoom || event.key === "0") || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  explorer.move(() => {
    if (zoom) camera.zoomAt(zoom);
    else if (!step) camera.reset();
    else if (camera.flat || event.shiftKey) camera.pan(-40 * step[0], -40 * step[1]);
    else camera.turn(0.12 * step[0], 0.12 * step[1]);
  });
}

// Names of groups, and rings about what is looked at, drawn over the cloud.
function drawOverlay(explorer) {
  const { camera, state, background, atlas } = explorer;
  const canvas = byId("overlay");
  const ratio = resized(canvas, camera);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, camera.width, camera.height);
  const ink = luminance(background) < 0.2 ? "#fff" : "#111";
  if (state.names) drawNames(explorer, context, ink);
  for (const [point, width] of [[state.hovered, 2], [state.pinned, 3]]) {
    if (point < 0) continue;
    const out = new Float32Array(4);
    camera.project(atlas.positions, 3 * point, out);
    ring(context, out, explorer.pointSize * out[3] / 2 + 4, width + 2.5, css(background));
    ring(context, out, explorer.pointSize * out[3] / 2 + 4, width, ink);
  }
}

function ring(context, [x, y], radius, width, style) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  Object.assign(context, { lineWidth: width, strokeStyle: style });
  context.stroke();
}

function drawNames({ camera, centers, background }, context, ink) {
  Object.assign(context, { textAlign: "center", textBaseline: "middle", lineJoin: "round", lineWidth: 5 });
  context.font = "650 17px system-ui, sans-serif";
  const [out, placed] = [new Float32Array(4), []];
  for (const { name, center } of centers) {
    if (!camera.project(center, 0, out)) continue;
    const [x, y] = out;
    if (placed.some(([px, py]) => Math.abs(px - x) < 20 && Math.abs(py - y) < 18)) continue;
    placed.push([x, y]);
    context.strokeStyle = css(background);
    context.strokeText(name, x, y);
    context.fillStyle = ink;
    context.fillText(name, x, y);
  }
}
