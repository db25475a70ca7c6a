// A press on a picture opens the full one in a viewer; with Control, Command or Shift the browser follows the link.
const viewer = document.getElementById("viewer");
const picture = document.getElementById("viewer-picture");
let shown;

for (const link of document.querySelectorAll("a.picture")) {
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(link);
    viewer.showModal();
  });
}
document.getElementById("viewer-previous").addEventListener("click", () => step(-1));
document.getElementById("viewer-next").addEventListener("click", () => step(1));
viewer.addEventListener("keydown", ({ key }) => {
  if (key === "ArrowLeft") step(-1);
  if (key === "ArrowRight") step(1);
});
viewer.addEventListener("click", ({ target }) => {
  if (target === viewer) viewer.close(); // beside its content
});
viewer.addEventListener("close", () => shown.focus());

function show(link) {
  shown = link;
  const preview = link.querySelector("img");
  picture.src = link.href;
  for (const name of ["alt", "width", "height"]) picture.setAttribute(name, preview.getAttribute(name));
  picture.parentElement.scrollTo(0, 0);
  const caption = link.parentElement.querySelector("figcaption").firstChild;
  document.getElementById("viewer-caption").textContent = caption.textContent;
  document.getElementById("viewer-file").href = link.href;
}

function step(by) {
  const links = [...document.querySelectorAll("a.picture")].filter((link) => link.checkVisibility());
  show(links[(links.indexOf(shown) + by + links.length) % links.length]);
}
