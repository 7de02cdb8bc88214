// A box to narrow a long list of ticks by words. Without script the list is folded up by document instead.
for (const list of document.querySelectorAll("[data-narrow]")) {
  const label = document.createElement("label");
  label.append("查找（标题、文号、条款）");
  const box = document.createElement("input");
  box.type = "search";
  box.autocomplete = "off";
  label.append(box);
  list.before(label);
  label.className = "narrow";
  const groups = [...list.querySelectorAll("details")].map((group) => ({ group, open: group.open }));
  box.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
  box.addEventListener("input", () => {
    const words = box.value.trim().split(/\s+/).filter(Boolean);
    for (const { group, open } of groups) {
      const title = group.querySelector("summary").textContent;
      let shown = 0;
      for (const row of group.querySelectorAll(".tick")) {
        const fits = words.every((word) => (title + row.textContent).includes(word));
        row.hidden = !fits;
        shown += fits;
      }
      group.hidden = shown === 0;
      group.open = words.length ? true : open;
    }
  });
}
