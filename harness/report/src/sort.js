"use strict";
// A click on a header sorts the table by its column, a second one the other way round. Absent values stay last.
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  const headers = [...table.querySelectorAll("thead tr:last-child th")];
  headers.forEach((header, column) => header.querySelector("button").addEventListener("click", () => {
    const numeric = header.classList.contains("number");
    const order = header.getAttribute("aria-sort");
    // Numbers from the largest first, text from A.
    const up = order ? order === "descending" : !numeric;
    headers.forEach((other) => other.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = (row) => numeric ? row.cells[column].dataset.value : row.cells[column].textContent;
    const rows = [...body.rows].map((row) => [key(row), row]);
    rows.sort(([left], [right]) => {
      if (left === "" || right === "") return (left === "") - (right === "");
      const difference = numeric ? left - right : left.localeCompare(right, "en", { numeric: true });
      return up ? difference : -difference;
    });
    body.append(...rows.map(([, row]) => row));
  }));
}
