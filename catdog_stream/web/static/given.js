// What a visitor drops or pastes: files, or a text that may be an address.

const ADDRESS = /^[a-z][a-z0-9+.-]*:\/\/\S+$/i;

// Calls one of them for whatever is dropped anywhere on the page, or pasted outside of a field.
export function listen(drop, { files, address, text }) {
  // A miss would have the browser leave the page.
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) drop.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    take(event.dataTransfer);
  });
  document.addEventListener("paste", (event) => {
    const inField = event.target.closest?.("input, textarea") !== null;
    if (event.clipboardData === null || (inField && event.clipboardData.files.length === 0)) return;
    event.preventDefault();
    take(event.clipboardData);
  });

  function take(data) {
    if (data.files.length > 0) return files(data.files);
    const given = words(data);
    if (ADDRESS.test(given)) address(given);
    else text();
  }
}

function words(data) {
  const links = data.getData("text/uri-list").split(/\r?\n/);
  const link = links.find((line) => line.trim() !== "" && !line.startsWith("#"));
  return (link ?? data.getData("text/plain")).trim();
}
