"use strict";
(() => {
  const table = document.querySelector("table.entries");
  const search = document.querySelector("#search"), status = document.querySelector("#status"), namespace = document.querySelector("#namespace");
  const count = document.querySelector("#count"), all = document.querySelector("#all");
  let entries = Array.from(table.querySelectorAll("tbody.entry"));
  let most = 500; // rows that are laid out at once: ten thousand take a browser half a minute
  document.documentElement.classList.add("scripted");

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const entry of entries) {
      const data = entry.dataset;
      const fits = (!status.value || data.status === status.value) && (!namespace.value || data.namespace === namespace.value)
        && words.every((word) => data.text.includes(word));
      found += fits ? 1 : 0;
      entry.hidden = !fits || found > most;
    }
    all.hidden = found <= most;
    const cut = found > most ? `, the first ${most} are shown` : "";
    count.textContent = `${found.toLocaleString("en")} of ${entries.length.toLocaleString("en")} containers${cut}`;
  };

  const sort = (button) => {
    const head = button.closest("th"), key = button.dataset.key, text = button.dataset.kind === "text";
    const before = head.getAttribute("aria-sort");
    const rising = before ? before === "descending" : text;
    for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", rising ? "ascending" : "descending");
    const value = (entry) => (text ? entry.dataset[key] : entry.dataset[key] === "" ? null : Number(entry.dataset[key]));
    const sorted = entries.map((entry, place) => ({ entry, place, value: value(entry) })).sort((a, b) => {
      if (a.value === null || b.value === null) return (a.value === null) - (b.value === null) || a.place - b.place;
      const order = text ? a.value.localeCompare(b.value, "en") : a.value - b.value;
      return (rising ? order : -order) || a.place - b.place;
    });
    entries = sorted.map((one) => one.entry);
    for (const entry of entries) entry.hidden = true;
    table.append(...entries);
    filter();
  };

  for (const control of [search, status, namespace]) control.addEventListener("input", filter);
  for (const button of table.querySelectorAll("thead button")) button.addEventListener("click", () => sort(button));
  all.addEventListener("click", () => { most = Infinity; filter(); });
  document.querySelector("#open").addEventListener("click", () => {
    const all = entries.filter((entry) => !entry.hidden).map((entry) => entry.querySelector("details"));
    const open = all.some((one) => !one.open);
    for (const one of all) one.open = open;
  });
  filter();
})();
