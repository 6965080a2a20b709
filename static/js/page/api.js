/* The page to try the API: Swagger UI, with the document that the application makes from its routes. */

const root = document.documentElement;

/** Swagger UI has a dark look of its own, under this class. */
function followTheme() {
  root.classList.toggle("dark-mode", root.dataset.theme === "dark");
}

followTheme();
document.addEventListener("themechange", followTheme);

window.SwaggerUIBundle({
  url: document.getElementById("api-docs").dataset.document,
  dom_id: "#api-docs",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
