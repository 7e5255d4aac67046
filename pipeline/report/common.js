"use strict";
// What the scripts of pages share.
const $ = (name) => document.getElementById(name);

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function fill(select, values) {
  for (const value of [...new Set(values)].sort()) select.append(element("option", { value, textContent: value }));
}

const words = (query) => query.toLowerCase().split(/\s+/).filter(Boolean);

// Whether a key is for the field that somebody types in; "/" goes to the search, Escape leaves a field.
function isTyping(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  const typing = event.target.matches("input, select, textarea");
  if (event.key === "Escape" && typing) event.target.blur();
  else if (event.key === "/" && !typing) { event.preventDefault(); $("query").focus(); }
  return typing;
}
