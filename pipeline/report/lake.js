(() => {
  const drawn = document.querySelector("svg.graph");
  if (drawn) showGraph(drawn);
  if ($("pairs")) showPairs();

  // Nodes say in their titles what they are: one line for each thing.
  function showGraph(graph) {
    const nodes = [...graph.querySelectorAll(".node")];
    const lines = [...graph.querySelectorAll(".edge")];
    const above = nodes.map(() => []), below = nodes.map(() => []);
    for (const [parent, child] of JSON.parse($("edges").textContent)) {
      above[child].push(parent);
      below[parent].push(child);
    }
    const number = (node) => Number(node.id.slice("node-".length));
    const reach = (first, next) => {
      const seen = new Set([first]);
      for (const one of seen) for (const other of next[one]) seen.add(other);
      return seen;
    };

    function tell(node) {
      const one = number(node), up = reach(one, above), down = reach(one, below);
      graph.classList.add("chosen");
      nodes.forEach((other, i) => other.classList.toggle("near", up.has(i) || down.has(i)));
      for (const line of lines) {
        const from = Number(line.dataset.from), to = Number(line.dataset.to);
        line.classList.toggle("near", (up.has(from) && up.has(to)) || (down.has(from) && down.has(to)));
      }
      nodes.forEach((other) => other.classList.toggle("one", other === node));
      const [name, ...rest] = node.querySelector("title").textContent.split("\n");
      $("told").classList.add("some");
      $("told").replaceChildren(
        element("p", {}, element("strong", { textContent: name })),
        element("p", { className: "facts", textContent: rest.join(" · ") }));
    }

    function leave() {
      const focused = nodes.indexOf(document.activeElement);
      if (focused >= 0) return tell(nodes[focused]);
      graph.classList.remove("chosen");
      nodes.forEach((other) => other.classList.remove("one"));
    }

    function go(node) {
      for (const other of nodes) other.setAttribute("tabindex", other === node ? "0" : "-1");
      node.focus();
    }

    for (const node of nodes) {
      node.addEventListener("pointerenter", () => tell(node));
      node.addEventListener("focus", () => tell(node));
      node.addEventListener("click", () => go(node));
      node.addEventListener("blur", leave);
      node.addEventListener("pointerleave", leave);
    }
    graph.addEventListener("keydown", (event) => {
      const node = event.target.closest(".node");
      if (!node || event.ctrlKey || event.metaKey || event.altKey) return;
      const one = number(node);
      const next = {
        ArrowLeft: () => one - 1, ArrowRight: () => one + 1, Home: () => 0, End: () => nodes.length - 1,
        ArrowUp: () => above[one][0], ArrowDown: () => below[one][0],
      }[event.key];
      if (!next) return;
      event.preventDefault();
      if (nodes[next()]) go(nodes[next()]);
    });
  }

  function showPairs() {
    const FIRST = 25, PAGE = 200;
    const all = JSON.parse($("pairs-data").textContent).map(([child, parent, rows, bytes, status], number) => ({
      child, parent, rows, bytes, status, number, haystack: `${child}\n${parent}`.toLowerCase(),
    }));
    const named = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
    const orders = {
      bytes: (a, b) => b.bytes - a.bytes,
      rows: (a, b) => (b.rows ?? -1) - (a.rows ?? -1),
      child: (a, b) => named(a.child, b.child),
      parent: (a, b) => named(a.parent, b.parent),
    };
    let found = [], shown = 0;

    function filter() {
      const wanted = words($("query").value), status = $("status").value, order = orders[$("sort").value];
      found = all.filter((pair) =>
        (!status || pair.status === status) && wanted.every((word) => pair.haystack.includes(word)));
      found.sort((a, b) => order(a, b) || a.number - b.number);
      $("pairs").replaceChildren();
      shown = 0;
      more(FIRST);
      $("count").textContent = `${found.length.toLocaleString("en")} of ${all.length.toLocaleString("en")} in the list`;
    }

    function more(step) {
      const name = (text) => element("code", { textContent: text });
      for (const pair of found.slice(shown, shown + step)) {
        const row = element("tr", {},
          element("th", { scope: "row", className: "named" }, name(pair.child)), element("td", { className: "told named" }, name(pair.parent)),
          element("td", { textContent: pair.rows === null ? "–" : pair.rows.toLocaleString("en") }),
          element("td", { textContent: size(pair.bytes) }),
          element("td", { className: "told", textContent: pair.status }));
        $("pairs").append(row);
      }
      shown = Math.min(found.length, shown + step);
      $("more").hidden = shown === found.length;
      $("more").textContent = `Show more of the other ${(found.length - shown).toLocaleString("en")}`;
    }

    function size(bytes) {
      for (const [unit, of] of [["TB", 1e12], ["GB", 1e9], ["MB", 1e6], ["kB", 1e3]])
        if (bytes >= of) return `${(bytes / of).toLocaleString("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 })} ${unit}`;
      return `${bytes} bytes`;
    }

    fill($("status"), all.map((pair) => pair.status));
    for (const control of ["query", "status", "sort"].map($)) control.addEventListener("input", filter);
    $("more").addEventListener("click", () => more(PAGE));
    document.querySelector(".controls").addEventListener("submit", (event) => event.preventDefault());
    document.addEventListener("keydown", isTyping);
    filter();
  }
})();
