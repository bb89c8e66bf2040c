"use strict";
// Says of every chart that is shown how many marks have been drawn in it, its grid and ground not counted: for those who
// check the page by a program.
for (const chart of document.querySelectorAll("svg.chart")) {
  if (chart.getClientRects().length === 0) continue;
  const marks = [...chart.querySelectorAll("rect, path, polyline, polygon, line, circle")];
  const ground = ["var(--grid)", "var(--usual)"];
  const counts = (mark) => !mark.classList.contains("tip") && mark.getTotalLength() > 0
    && !ground.includes(mark.getAttribute("stroke")) && !ground.includes(mark.getAttribute("fill"));
  const drawn = marks.filter(counts);
  chart.dataset.marks = drawn.length;
}
document.documentElement.dataset.charts = document.querySelectorAll("svg[data-marks]").length;
