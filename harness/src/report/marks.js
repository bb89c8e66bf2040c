"use strict";
// Says of every chart that is shown how many of its marks have been drawn, for those who check the page by a program.
for (const chart of document.querySelectorAll("svg.chart")) {
  if (chart.getClientRects().length === 0) continue;
  const marks = [...chart.querySelectorAll("rect, path, polyline, polygon, line, circle")];
  const drawn = marks.filter((mark) => !mark.classList.contains("tip") && mark.getTotalLength() > 0);
  chart.dataset.marks = drawn.length;
}
document.documentElement.dataset.charts = document.querySelectorAll("svg[data-marks]").length;
