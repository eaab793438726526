/** Files that the browser saves. */

/** Save a text as a file. @param {string} name @param {string} text @param {string} [type] */
export function saveText(name, text, type = "application/json") {
  saveBlob(name, new Blob([text], { type }));
}

/** Save what was received as a file. @param {string} name @param {Blob} blob */
export function saveBlob(name, blob) {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // some browsers read it after the click
}

export const saveJson = (name, value) => saveText(name, JSON.stringify(value, null, 2));

export const saveCsv = (name, text) => saveText(name, `\uFEFF${text}`, "text/csv");
