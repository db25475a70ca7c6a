// What Python put into the page. Digits come most confusing first: row 0 is the most confusing of all.

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes.buffer;
}

function readAtlas() {
  const raw = JSON.parse(document.getElementById("atlas").textContent);
  const atlas = {
    ...raw,
    positions: fitted(new Int16Array(bytesOf(raw.positions)), raw.count, raw.dimensions),
    labels: new Uint8Array(bytesOf(raw.labels)),
    predicted: new Uint8Array(bytesOf(raw.predicted)),
    probability: new Float32Array(bytesOf(raw.probability)),
    split: new Uint8Array(bytesOf(raw.split)),
    index: new Uint32Array(bytesOf(raw.index)),
    confusion: new Float32Array(bytesOf(raw.confusion)),
    groupings: raw.groupings.map((each) => ({ ...each, groups: new Uint16Array(bytesOf(each.groups)) })),
    flat: raw.dimensions === 2,
  };
  return Object.freeze(atlas);
}

// Positions x, y, z such that nearly all lie within 1 of the middle: a few outliers must not make
// everything else small.
function fitted(steps, count, dimensions) {
  const radii = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let square = 0;
    for (let d = 0; d < dimensions; d++) square += steps[i * dimensions + d] ** 2;
    radii[i] = Math.sqrt(square);
  }
  const reach = radii.slice().sort()[Math.floor(0.99 * (count - 1))] || 1;
  const positions = new Float32Array(3 * count);
  for (let i = 0; i < count; i++) {
    for (let d = 0; d < dimensions; d++) positions[3 * i + d] = steps[i * dimensions + d] / reach;
  }
  return positions;
}

const SPLITS = ["train", "test"];
const number = (value) => value.toLocaleString("en-US");
const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
