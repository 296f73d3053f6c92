/** What is half written on a page, over a reload of it: kept in this tab, for this page, and given back once. */
type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;
type Draft = { key: string; given: string; first: string };

const kept = () => `mercato-draft:${location.pathname}`;

/** Returns the fields that a person writes into, each with a name that is the same after a reload. */
function fields(): Map<string, Field> {
  const found = new Map<string, Field>();
  for (const form of document.forms) {
    for (const field of form.querySelectorAll<Field>("input, textarea, select")) {
      if (!field.name || ["hidden", "password", "file"].includes(field.type)) continue;
      const level = form.querySelector<HTMLInputElement>("input[type=hidden][name=level]")?.value ?? "";
      const choice = ticked(field) ? field.value : "";
      found.set([form.getAttribute("action"), level, field.name, choice].join(" "), field);
    }
  }
  return found;
}

const ticked = (field: Field): field is HTMLInputElement =>
  field instanceof HTMLInputElement && (field.type === "radio" || field.type === "checkbox");

const given = (field: Field) => (ticked(field) ? String(field.checked) : field.value);

/** What the server wrote into a field. */
function first(field: Field): string {
  if (ticked(field)) return String(field.defaultChecked);
  if (!(field instanceof HTMLSelectElement)) return field.defaultValue;
  return ([...field.options].find((option) => option.defaultSelected) ?? field.options[0])?.value ?? "";
}

/** Keeps what was written and not sent. */
export function keep(): void {
  const drafts: Draft[] = [...fields()]
    .map(([key, field]) => ({ key, given: given(field), first: first(field) }))
    .filter((draft) => draft.given !== draft.first);
  try {
    if (drafts.length) sessionStorage.setItem(kept(), JSON.stringify(drafts));
  } catch {
    // no room for it, or none allowed: the reload goes on without
  }
}

/** Writes what was kept back, but not over a field that the server fills differently by now. */
export function giveBack(): void {
  const text = sessionStorage.getItem(kept());
  if (!text) return;
  sessionStorage.removeItem(kept());
  const here = fields();
  for (const draft of JSON.parse(text) as Draft[]) {
    const field = here.get(draft.key);
    if (!field || first(field) !== draft.first) continue;
    if (ticked(field)) field.checked = draft.given === "true";
    else field.value = draft.given;
    const closed = field.closest("details");
    if (closed) closed.open = true;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    if (!ticked(field) || field.checked) field.dispatchEvent(new Event("change", { bubbles: true }));
  }
}
