"""The page's only script: values under the pointer, and pictures enlarged on a click.

A string and not a file: its hash goes into the page's security policy, so that no other script can
ever run there.
"""

import base64
import hashlib

SCRIPT = """
for (const svg of document.querySelectorAll("svg.chart")) {
  const { x: [low, high, start, stop, width], series } = JSON.parse(svg.dataset.points);
  const cursor = svg.querySelector(".cursor");
  const output = svg.closest("figure").querySelector("output");
  const nearest = (steps, at) => {
    let left = 0, right = steps.length - 1;
    while (right - left > 1) {
      const middle = (left + right) >> 1;
      if (steps[middle] <= at) left = middle; else right = middle;
    }
    return at - steps[left] <= steps[right] - at ? left : right;
  };
  const show = (value) => Number(value.toPrecision(4)).toString().replace("-", "\\u2212");
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const pixel = ((event.clientX - box.left) * width) / box.width;
    const at = low + ((pixel - start) / (stop - start)) * (high - low);
    const texts = [];
    let step = null;
    for (const { label, steps, low: lows, high: highs } of series) {
      if (!steps.length) continue;
      const index = nearest(steps, at);
      step ??= steps[index];
      const from = lows[index], to = highs ? highs[index] : from;
      const range = from === to ? from : null;
      if (from === null) texts.push(`${label} \\u2013`);
      else if (range !== null) texts.push(`${label} ${show(range)}`);
      else texts.push(`${label} ${show(from)} \\u2026 ${show(to)}`);
    }
    if (step === null) return;
    output.textContent = `step ${step}: ${texts.join(", ")}`;
    const place = start + ((step - low) / (high - low)) * (stop - start);
    cursor.setAttribute("x1", place);
    cursor.setAttribute("x2", place);
    cursor.setAttribute("visibility", "visible");
  });
  svg.addEventListener("pointerleave", () => {
    output.textContent = "";
    cursor.setAttribute("visibility", "hidden");
  });
}
const dialog = document.querySelector("dialog");
for (const image of document.querySelectorAll("img")) {
  image.classList.add("opens");
  image.addEventListener("click", () => {
    const copy = image.cloneNode();
    dialog.replaceChildren(copy);
    dialog.showModal();
  });
}
dialog.addEventListener("click", () => dialog.close());
"""


def script_hash() -> str:
    """The script's hash as a content security policy wants it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
