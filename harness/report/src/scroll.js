"use strict";
// Says so above every table that is wider than the page and not yet at its right end.
for (const scroll of document.querySelectorAll(".scroll")) {
  const hint = scroll.parentElement.querySelector(".hint");
  const look = () => {
    const hidden = scroll.scrollWidth - scroll.clientWidth;
    scroll.classList.toggle("scrolls", hidden > 1);
    hint.hidden = hidden - scroll.scrollLeft < 2;
  };
  scroll.addEventListener("scroll", look, { passive: true });
  new ResizeObserver(look).observe(scroll);
}
