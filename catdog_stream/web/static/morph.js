// Turns what is there into what it is to be, and touches nothing else: a reader's place, a choice
// and a picture stay where they are.

export function morph(target, html) {
  children(target, new DOMParser().parseFromString(html, "text/html").body);
}

function children(target, source) {
  const keyed = new Map();
  for (const child of target.children) {
    if (child.dataset.key !== undefined) keyed.set(child.dataset.key, child);
  }
  let at = target.firstChild;
  const all = target.dataset?.steady === undefined ? source.childNodes : steady(target, source);
  for (const wanted of [...all]) {
    const key = wanted.dataset?.key;
    const found = key === undefined ? at : keyed.get(key);
    if (found && alike(found, wanted)) {
      if (found === at) at = at.nextSibling;
      else target.insertBefore(found, at);
      node(found, wanted);
    } else {
      target.insertBefore(document.importNode(wanted, true), at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

// The items of a list in the places that they have: a new one takes that of one that is gone. All
// of a list that moves each second is hard to look at, and costs a layout of the page.
function steady(target, source) {
  const wanted = new Map([...source.children].map((item) => [item.dataset.key, item]));
  const kept = [...target.children].map((item) => wanted.get(item.dataset.key));
  const fresh = [...source.children].filter((item) => !kept.includes(item));
  const filled = kept.map((item) => item ?? fresh.shift()).filter((item) => item !== undefined);
  return [...filled, ...fresh];
}

function alike(one, other) {
  return one.nodeName === other.nodeName && one.dataset?.key === other.dataset?.key;
}

function node(target, source) {
  if (target.nodeType !== Node.ELEMENT_NODE) {
    if (target.data !== source.data) target.data = source.data;
    return;
  }
  for (const { name, value } of source.attributes) {
    if (target.getAttribute(name) !== value) target.setAttribute(name, value);
  }
  for (const { name } of [...target.attributes]) {
    if (!source.hasAttribute(name)) target.removeAttribute(name);
  }
  if (target.nodeName !== "TIME") children(target, source); // times.js has those
}
