const cards = [...document.querySelectorAll(".card")];
const show = (row) => {
  const names = (list) => new Set((row?.dataset[list] ?? "").split(" "));
  const [from, to] = [names("from"), names("to")];
  for (const card of cards) {
    card.classList.toggle("may-talk", from.has(card.dataset.block));
    card.classList.toggle("may-hear", to.has(card.dataset.block));
  }
};
for (const row of document.querySelectorAll(".flows li")) {
  for (const event of ["pointerenter", "focus"]) row.addEventListener(event, () => show(row));
  for (const event of ["pointerleave", "blur"]) row.addEventListener(event, () => show());
}
