// What a person has chosen and every page keeps: the theme and the convention of angles.

import { forgetTheme } from "./canvas.js";

const remember = (key, value) => { try { localStorage.setItem(`doamc-${key}`, value); } catch { /* storage is off */ } };
const recall = (key, fallback) => { try { return localStorage.getItem(`doamc-${key}`) ?? fallback; } catch { return fallback; } };

/** Have the choice of #theme followed; `changed` is called now and whenever the theme has another colour. */
export function followTheme(changed) {
  const choice = document.getElementById("theme"), system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const dark = choice.value === "dark" || (choice.value === "auto" && system.matches);
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    forgetTheme();
    changed();
  };
  choice.value = recall("theme", "auto");
  choice.addEventListener("change", () => { remember("theme", choice.value); apply(); });
  system.addEventListener("change", apply);
  apply();
}

/** Have the choice of convention followed; `changed` is called now and at every change. */
export function followConvention(changed) {
  for (const input of document.querySelectorAll("input[name=convention]")) {
    input.checked = input.value === recall("convention", "compass");
    input.addEventListener("change", () => { remember("convention", input.value); changed(); });
  }
  changed();
}

export const conventionName = () => document.querySelector("input[name=convention]:checked").value;
