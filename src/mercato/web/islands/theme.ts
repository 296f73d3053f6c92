/** The theme switch without a page load. The form posts to /theme, which remembers the choice in a cookie. */
const form = document.querySelector<HTMLFormElement>("form.theme");

form?.addEventListener("submit", (event) => {
  const theme = (event.submitter as HTMLButtonElement | null)?.value;
  if (!theme) return;
  event.preventDefault();
  document.documentElement.dataset.theme = theme;
  dispatchEvent(new CustomEvent("mercato:theme", { detail: theme }));
  form.querySelector<HTMLButtonElement>(`button[value=${theme === "dark" ? "light" : "dark"}]`)?.focus();
  void fetch(form.action, {
    method: "POST",
    headers: { "x-requested-with": "fetch" },
    body: new URLSearchParams({ theme }),
  });
});
