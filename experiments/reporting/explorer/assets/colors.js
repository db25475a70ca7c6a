// Colors are [red, green, blue], 0..255.

const CONTRAST = 3.6; // between a point and a dark background, at least
const SHADES = [0, 0.5, -0.45]; // of each color of the palette: itself, lighter, darker

const fromHex = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const mixed = (a, b, share) => a.map((value, i) => Math.round(value + (b[i] - value) * share));
const css = (color) => `rgb(${color.join(" ")})`;

function luminance(color) {
  const [r, g, b] = color.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

// Dark colors are made lighter where the background is dark; a hue is kept.
function readable(color, background) {
  const dark = luminance(background) < 0.2;
  let lifted = color;
  while (dark && (luminance(lifted) + 0.05) / (luminance(background) + 0.05) < CONTRAST) {
    lifted = mixed(lifted, [255, 255, 255], 0.1);
  }
  return lifted;
}

function groupColors(palette, count, background) {
  return Array.from({ length: count }, (_, group) => {
    const shade = SHADES[Math.floor(group / palette.length) % SHADES.length];
    const plain = fromHex(palette[group % palette.length]);
    return readable(mixed(plain, shade > 0 ? [255, 255, 255] : [0, 0, 0], Math.abs(shade)), background);
  });
}

// From least to most: ever further from the background.
function ramp(background) {
  const light = ["#E3DED2", "#F0C267", "#DE7A1E", "#B03A12", "#5E1410"];
  const dark = ["#3A3A44", "#7B3B2A", "#C4591F", "#EFA23B", "#FFF0B8"];
  return (luminance(background) < 0.2 ? dark : light).map(fromHex);
}

function along(stops, share) {
  const at = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
  const low = Math.min(Math.floor(at), stops.length - 2);
  return mixed(stops[low], stops[low + 1], at - low);
}

// Each way to color: `groupOf` gives each point's group, or `scoreOf` its value in [0, 1].
function colorings(atlas) {
  const wrong = Uint8Array.from(atlas.labels, (label, i) => (label === atlas.predicted[i] ? 0 : 1));
  const digits = Array.from({ length: 10 }, (_, digit) => `${digit}`);
  return [
    { id: "label", title: "Label", names: digits, groupOf: atlas.labels },
    { id: "predicted", title: "Predicted digit", names: digits, groupOf: atlas.predicted },
    ...atlas.groupings.map((each, i) => ({
      id: `grouping-${i}`,
      title: each.name,
      names: Array.from({ length: each.count }, (_, group) => `${group}`),
      noun: "cluster",
      groupOf: each.groups,
    })),
    { id: "confusion", title: "Place among the confusing", scoreOf: atlas.confusion },
    { id: "correct", title: "Correct or wrong", names: ["correct", "wrong"], groupOf: wrong, unnamed: true },
  ];
}

function colorsOf(coloring, palette, background) {
  if (coloring.id === "correct") return [mixed(fromHex("#7FB8DA"), background, 0.35), fromHex("#D55E00")];
  return groupColors(palette, coloring.names.length, background);
}
