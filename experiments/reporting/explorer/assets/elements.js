// Small makers of elements. Text is set as text, never as markup.

const byId = (id) => document.getElementById(id);

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  const { data = {}, aria = {}, ...others } = properties;
  Object.assign(made, others);
  Object.assign(made.dataset, data);
  for (const [name, value] of Object.entries(aria)) made.setAttribute(`aria-${name}`, value);
  made.append(...children);
  return made;
}

function toggle(button, pressed) {
  button.setAttribute("aria-pressed", String(pressed));
}

// What is known of a point, next to its picture.
function cardOf(point, atlas, sprites) {
  const right = atlas.labels[point] === atlas.predicted[point];
  const rows = [
    ["label", `${atlas.labels[point]}`],
    ["predicted", `${atlas.predicted[point]} (${atlas.probability[point].toFixed(4)})${right ? "" : " ✗"}`],
    ...atlas.groupings.map((each) => [each.name, `cluster ${each.groups[point]}`]),
    ["more confusing than", `${(Math.floor(1000 * atlas.confusion[point]) / 10).toFixed(1)} % of its split`],
  ];
  const list = element("dl", {}, ...rows.flatMap(([name, value]) => [
    element("dt", { textContent: name }),
    element("dd", { textContent: value, className: name === "predicted" && !right ? "wrong" : "" }),
  ]));
  const heading = element("strong", { textContent: nameOf(point, atlas) });
  return [sprites.picture(point), element("div", {}, heading, list)];
}

const nameOf = (point, atlas) => `${SPLITS[atlas.split[point]]} #${number(atlas.index[point])}`;
