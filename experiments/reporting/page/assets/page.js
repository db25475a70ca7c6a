// Tables are sorted by the head that is pressed, numbers by their value; what has none stays last.
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => sort(button.closest("th")));
}

function sort(head) {
  const heads = [...head.parentElement.children];
  const column = heads.indexOf(head);
  const first = head.dataset.first ?? "ascending";
  const order = head.getAttribute("aria-sort") === first ? opposite(first) : first;
  for (const each of heads) each.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", order);
  const body = head.closest("table").tBodies[0];
  const sign = order === "ascending" ? 1 : -1;
  const rows = [...body.rows].map((row) => ({ row, key: row.cells[column].dataset.value ?? "" }));
  rows.sort((a, b) => (a.key === "") - (b.key === "") || sign * compare(a.key, b.key));
  body.append(...rows.map(({ row }) => row));
}

function opposite(order) {
  return order === "ascending" ? "descending" : "ascending";
}

function compare(a, b) {
  return isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b;
}

// Mark the section in view in the table of contents.
const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
const seen = new Set();
const watch = new IntersectionObserver(mark, { rootMargin: "-15% 0px -70% 0px" });
for (const id of links.keys()) watch.observe(document.getElementById(id));

function mark(entries) {
  for (const { target, isIntersecting } of entries) isIntersecting ? seen.add(target.id) : seen.delete(target.id);
  const current = [...links.keys()].find((id) => seen.has(id));
  if (!current) return;
  for (const link of links.values()) link.removeAttribute("aria-current");
  const link = links.get(current);
  link.setAttribute("aria-current", "true");
  const row = link.closest("ol");
  if (row.scrollWidth > row.clientWidth) row.scrollLeft = link.offsetLeft - row.offsetLeft - 60;
}
