// What is measured and how: written by hand in the page's own source.

export async function open(box) {
  box.classList.add("prose");
  box.append(document.querySelector("#about").content.cloneNode(true));
  return { update() {} };
}
