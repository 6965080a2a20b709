/* Light or dark: what the visitor chose here, else what the system prefers. A classic script in the head, because the
   choice must stand before the first paint. */

(() => {
  const KEY = "theme";
  const system = matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // Storage may be forbidden; the page then follows the system.
    }
  }

  function remember(theme) {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // The choice holds until the page is left.
    }
  }

  function apply(theme) {
    document.documentElement.dataset.theme = theme;
    document.getElementById("theme-toggle")?.setAttribute("aria-pressed", String(theme === "dark"));
    document.dispatchEvent(new CustomEvent("themechange"));
  }

  const preferred = () => chosen() ?? (system.matches ? "dark" : "light");

  if (location.protocol !== "file:") document.documentElement.dataset.served = "";
  apply(preferred());
  system.addEventListener("change", () => apply(preferred()));
  document.addEventListener("DOMContentLoaded", () => {
    apply(preferred());
    document.getElementById("theme-toggle").addEventListener("click", () => {
      const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
      remember(theme);
      apply(theme);
    });
  });
})();
