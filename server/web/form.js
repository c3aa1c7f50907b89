// A form for one row of a model: a field for each column, and back from the fields to the row.

const MOST_FIELDS = 200; // models with more columns get their row as text
const MOST_CHOICES = 200;

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const named = (inputs) => inputs.length > 0 && inputs[0].name !== null;
const title = (input, i) => input.name ?? `column ${i + 1}`;

function choices(values, first, missing) {
  const select = make("select");
  values.forEach((value, i) => select.append(make("option", { value: i }, String(value))));
  if (missing) select.append(make("option", { value: "" }, "(missing)"));
  const at = values.findIndex((value) => value === first);
  select.value = String(at < 0 ? 0 : at);
  select.dataset.values = JSON.stringify(values);
  return select;
}

function control(input, first) {
  const missing = input.missing !== "refused";
  if (input.categories?.length && input.categories.length <= MOST_CHOICES)
    return choices(input.categories, first, missing);
  if (input.kind === "bool") return choices([true, false], first, missing);
  const field = make("input", { type: "text", autocomplete: "off", spellcheck: "false" });
  if (input.kind === "numeric") field.inputMode = "decimal";
  if (missing) field.placeholder = "missing";
  field.value = first === null || first === undefined ? "" : String(first);
  return field;
}

function words(input) {
  const kind = { numeric: "number", string: "text", bool: "yes or no", mixed: "text or number" }[input.kind];
  return input.missing === "refused" ? `${kind}, needed` : kind;
}

/* Fills the element with the fields of a model; example is a row that it takes. */
export function build(place, inputs, example) {
  place.replaceChildren();
  if (inputs.length === 0 || inputs.length > MOST_FIELDS) {
    const text = make("textarea", { id: "as-json", spellcheck: "false" });
    text.value = JSON.stringify(example, null, 1);
    const label = make("label", { for: "as-json" }, "The row as JSON ", make("small", {}, `${inputs.length} columns`));
    place.append(make("div", { class: "wide" }, label, text));
    return;
  }
  inputs.forEach((input, i) => {
    if (input.kind === "unused") return;
    const field = control(input, named(inputs) ? example[input.name] : example[i]);
    field.id = `field-${i}`;
    field.dataset.index = i;
    const label = make("label", { for: field.id }, `${title(input, i)} `, make("small", {}, words(input)));
    place.append(make("div", {}, label, field));
  });
}

function valueOf(field, input, name) {
  const text = field.value;
  if (field.dataset.values) return text === "" ? null : JSON.parse(field.dataset.values)[Number(text)];
  if (text.trim() === "") return null;
  if (input.kind !== "numeric") return text;
  const number = Number(text.trim().replace(",", "."));
  if (Number.isFinite(number)) return number;
  field.setAttribute("aria-invalid", "true");
  field.focus();
  throw new Error(`${name}: ${text} is no number`);
}

/* The row that the fields hold: an object by name, or an array. Throws an Error that says which field is wrong. */
export function read(place, inputs) {
  const text = place.querySelector("textarea");
  if (text) return JSON.parse(text.value);
  const values = new Array(inputs.length).fill(null);
  for (const field of place.querySelectorAll("[data-index]")) {
    const i = Number(field.dataset.index);
    field.removeAttribute("aria-invalid");
    values[i] = valueOf(field, inputs[i], title(inputs[i], i));
  }
  return named(inputs) ? Object.fromEntries(inputs.map((input, i) => [input.name, values[i]])) : values;
}
