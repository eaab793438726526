/** Tables as CSV (RFC 4180), to read and to save. */

/**
 * Read a table whose first line names its columns. Cells may be separated by commas or semicolons.
 * @param {string} text
 * @returns {{line: number, cells: Record<string, string>}[]}
 */
export function parseCsv(text) {
  const plain = text.replace(/^\uFEFF/, "");
  const head = plain.split(/\r?\n/, 1)[0];
  const separator = head.split(";").length > head.split(",").length ? ";" : ",";
  const [names = [], ...rows] = readRows(plain, separator);
  const columns = names.map((name) => name.trim());
  return rows
    .map((row, index) => ({ line: index + 2, row }))
    .filter(({ row }) => row.some((cell) => cell.trim() !== ""))
    .map(({ line, row }) => ({
      line,
      cells: Object.fromEntries(columns.map((name, place) => [name, (row[place] ?? "").trim()])),
    }));
}

function readRows(text, separator) {
  const rows = [];
  let row = [];
  let cell = "";
  let quoted = false;
  const endRow = () => {
    row.push(cell);
    rows.push(row);
    [row, cell] = [[], ""];
  };
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (quoted) {
      if (char !== '"') cell += char;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (char === '"' && cell === "") quoted = true;
    else if (char === separator) {
      row.push(cell);
      cell = "";
    } else if (char === "\n") endRow();
    else if (char !== "\r") cell += char;
  }
  if (cell !== "" || row.length > 0) endRow();
  return rows;
}

/**
 * Write a table. A text that a spreadsheet would take for a formula begins with an apostrophe.
 * @param {string[]} columns
 * @param {unknown[][]} rows
 */
export function toCsv(columns, rows) {
  return [columns, ...rows].map((row) => row.map(cellOf).join(",")).join("\r\n") + "\r\n";
}

function cellOf(value) {
  const text = value == null ? "" : String(value);
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
