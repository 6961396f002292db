// Before the first paint: the theme that was chosen, so that the page does not flash.
"use strict";
(() => {
  let theme = "auto";
  try { theme = localStorage.getItem("doamc-theme") || "auto"; } catch { /* storage is off */ }
  const dark = theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
