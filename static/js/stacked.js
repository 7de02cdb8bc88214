// On a phone a table's rows are cards: each cell is told its column's heading, which the style sheet writes before it.
// Without script a wide table scrolls in its frame instead.
function stack() {
  for (const table of document.querySelectorAll("#result_list:not(.stacked), .scroll > table:not(.stacked, .head)")) {
    const heads = table.querySelectorAll("thead tr:last-child > *");
    if (!heads.length || table.querySelector("[rowspan]")) continue;
    const labels = [];
    for (const head of heads) {
      const text = (head.querySelector(".text") ?? head).textContent.trim();
      for (let n = 0; n < head.colSpan; n += 1) labels.push(text);
    }
    for (const row of [...table.tBodies].flatMap((body) => [...body.rows])) {
      let column = 0;
      for (const cell of row.cells) {
        if (cell.colSpan === 1 && labels[column] && !cell.dataset.label) cell.dataset.label = labels[column];
        column += cell.colSpan;
      }
    }
    table.classList.add("stacked");
  }
}
stack();
new MutationObserver(stack).observe(document.body, { childList: true, subtree: true }); // parts of a page come anew
