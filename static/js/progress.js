// While a batch is being worked on, fetch the page again and swap the live region; without script a link does it.
"use strict";
(function () {
  const region = document.querySelector("[data-live]");
  if (!region) return;
  async function refresh() {
    try {
      const answer = await fetch(location.href, { headers: { "X-Requested-With": "fetch" }, credentials: "same-origin" });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-live]");
      if (!fresh) { location.reload(); return; }
      region.replaceChildren(...fresh.childNodes);
      setTimeout(refresh, 1500);
    } catch { setTimeout(refresh, 5000); }
  }
  setTimeout(refresh, 1000);
})();
