// Tells the tables and figures in the page that it goes to a printer, and that it came back: had each
// a listener on the window, it would be kept long after its view has gone.

for (const name of ["beforeprint", "afterprint"]) {
  window.addEventListener(name, () => {
    for (const node of document.querySelectorAll(".scroll, .figure")) node.dispatchEvent(new Event(name));
  });
}
