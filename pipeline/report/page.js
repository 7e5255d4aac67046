(() => {
  const list = $("list");
  if (!list) return;
  const PAGE = 200;
  const all = JSON.parse($("examples").textContent).map((pair, number) => ({
    ...pair, number,
    haystack: [pair.gone, pair.kept].map((s) => `${s.id ?? ""}\n${s.where}\n${s.text ?? ""}`).join("\n").toLowerCase(),
  }));
  const controls = ["query", "source", "stage", "least", "most", "sort"].map($);
  const length = (pair) => pair.gone.characters + pair.kept.characters;
  const similar = (pair) => pair.similarity ?? 1;
  const orders = {
    low: (a, b) => similar(a) - similar(b),
    high: (a, b) => similar(b) - similar(a),
    source: (a, b) => (a.source < b.source ? -1 : a.source > b.source ? 1 : 0),
    place: (a, b) => a.gone.address - b.gone.address,
    long: (a, b) => length(b) - length(a),
  };
  let found = [], shown = 0, chosen = -1;

  const named = (pair) => (pair.similarity === null ? "–" : pair.similarity.toFixed(3));

  function filter() {
    const wanted = words($("query").value);
    const least = Number($("least").value || 0), most = Number($("most").value || 1);
    found = all.filter((pair) =>
      (!$("source").value || pair.source === $("source").value) &&
      (!$("stage").value || pair.stage === $("stage").value) &&
      similar(pair) >= least && similar(pair) <= most &&
      wanted.every((word) => pair.haystack.includes(word)));
    const order = orders[$("sort").value];
    found.sort((a, b) => order(a, b) || a.number - b.number);
    list.replaceChildren();
    shown = 0;
    chosen = -1;
    more();
    $("count").textContent = `${found.length.toLocaleString("en")} of ${all.length.toLocaleString("en")} examples`;
    if (found.length) choose(0, false);
    else $("detail").replaceChildren(element("p", { textContent: "Nothing matches. Widen the search." }));
  }

  function more() {
    list.querySelector(".more")?.remove();
    for (const pair of found.slice(shown, shown + PAGE)) {
      const index = shown++;
      const item = element("li", { id: `pair-${index}`, onclick: () => choose(index, true) },
        element("span", { className: "what" },
          element("span", { textContent: `${pair.stage} ${named(pair)}` }), element("span", { textContent: pair.source })),
        element("span", { className: "start", textContent: (pair.gone.text ?? pair.gone.id ?? pair.gone.where).slice(0, 120) || "(empty)" }));
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", "false");
      list.append(item);
    }
    if (shown < found.length) {
      const button = element("li", { className: "more", textContent: `${found.length - shown} more`, onclick: more });
      button.setAttribute("role", "option");
      button.setAttribute("aria-selected", "false");
      list.append(button);
    }
  }

  function choose(index, scroll) {
    while (index >= shown && shown < found.length) more();
    if (index < 0 || index >= found.length) return;
    $(`pair-${chosen}`)?.setAttribute("aria-selected", "false");
    chosen = index;
    const item = $(`pair-${index}`);
    item.setAttribute("aria-selected", "true");
    list.setAttribute("aria-activedescendant", item.id);
    if (scroll) item.scrollIntoView({ block: "nearest" });
    show(found[index]);
  }

  function show(pair) {
    const [gone, kept] = marked(pair.gone.text, pair.kept.text);
    $("detail").replaceChildren(element("div", { className: "sides" },
      side("Removed", "gone", pair.gone, gone), side("Stays", "kept", pair.kept, kept)));
  }

  function side(title, kind, record, content) {
    const cut = record.text !== null && record.characters > [...record.text].length;
    const where = [record.id, record.where, record.characters === null ? "" : `${record.characters.toLocaleString("en")} characters`];
    const made = element("div", { className: `side ${kind}` },
      element("h3", { textContent: title }),
      element("p", { className: "where", textContent: where.filter(Boolean).join(" · ") + (cut ? ", the beginning of which:" : "") }));
    if (content) {
      const pre = element("pre", { tabIndex: 0 }, ...content);
      pre.setAttribute("role", "region");
      pre.setAttribute("aria-label", `Text that ${kind === "gone" ? "was removed" : "stays"}`);
      made.append(pre);
    }
    return made;
  }

  const tokens = (text) => text.match(/\p{Script=Han}|[\p{L}\p{N}\p{M}]+|\s+|[^]/gu) ?? [];

  // The longest common subsequence of tokens, after what both begin and end with.
  function marked(left, right) {
    if (left === null || right === null) return [null, null];
    const a = tokens(left), b = tokens(right);
    let head = 0, tail = 0;
    while (head < Math.min(a.length, b.length) && a[head] === b[head]) head++;
    while (tail < Math.min(a.length, b.length) - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
    const n = a.length - head - tail, m = b.length - head - tail, width = m + 1;
    const lengths = new Uint16Array((n + 1) * width);
    for (let i = n - 1; i >= 0; i--)
      for (let j = m - 1; j >= 0; j--)
        lengths[i * width + j] = a[head + i] === b[head + j]
          ? lengths[(i + 1) * width + j + 1] + 1
          : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
    const same = [new Uint8Array(a.length).fill(1), new Uint8Array(b.length).fill(1)];
    same[0].fill(0, head, head + n);
    same[1].fill(0, head, head + m);
    for (let i = 0, j = 0; i < n && j < m;) {
      if (a[head + i] === b[head + j]) { same[0][head + i++] = 1; same[1][head + j++] = 1; }
      else if (lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]) i++;
      else j++;
    }
    return [pieces(a, same[0]), pieces(b, same[1])];
  }

  function pieces(words, same) {
    const made = [];
    for (let i = 0; i < words.length;) {
      let stop = i;
      while (stop < words.length && same[stop] === same[i]) stop++;
      const text = words.slice(i, stop).join("");
      made.push(same[i] ? text : element("mark", { textContent: text }));
      i = stop;
    }
    return made;
  }

  fill($("source"), all.map((pair) => pair.source));
  fill($("stage"), all.map((pair) => pair.stage));
  for (const control of controls) control.addEventListener("input", filter);
  document.querySelector(".controls").addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    if (isTyping(event)) return;
    const inList = event.target === list;
    const steps = { j: 1, k: -1, ...(inList ? { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 } : {}) };
    if (event.key in steps) {
      event.preventDefault();
      choose(Math.max(0, Math.min(found.length - 1, chosen + steps[event.key])), true);
    } else if (inList && (event.key === "Home" || event.key === "End")) {
      event.preventDefault();
      choose(event.key === "Home" ? 0 : found.length - 1, true);
    }
  });
  filter();
})();
