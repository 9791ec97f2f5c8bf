// Draws a table, sorts it, finds in it, and says which row was chosen. What it is given becomes
// text, never markup.

// So many rows stand on the page; of more, some, to be scrolled and searched.
const WHOLE_ROWS = 30;
const LINE = { width: 76, height: 22, edge: 2 };
const SVG = "http://www.w3.org/2000/svg";
const letters = new Intl.Collator("en", { numeric: true });

// What the reader did to a table, by its place on the page: it outlives a run of the script.
const states = new WeakMap();

const make = (tag, properties, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

const drawn = (tag, attributes) => {
  const made = document.createElementNS(SVG, tag);
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
  return made;
};

const longestLine = (column) => Math.max(...column.values.map((line) => line?.length ?? 0), 2);

const lineOf = (amounts, months, words) => {
  const { width, height, edge } = LINE;
  const highest = Math.max(...amounts) || 1;
  const x = (i) => edge + ((months - amounts.length + i) / (months - 1)) * (width - 2 * edge);
  const y = (amount) => height - edge - (amount / highest) * (height - 2 * edge);
  const points = amounts.map((amount, i) => [x(i).toFixed(1), y(amount).toFixed(1)]);
  const svg = drawn("svg", { role: "img", "aria-label": words, width, height });
  const [cx, cy] = points.at(-1);
  svg.append(
    drawn("polyline", { points: points.map(String).join(" ") }),
    drawn("circle", { cx, cy, r: 2 }),
  );
  return svg;
};

// A full bar is the whole, in every table: equal bars mean equal shares.
const shareOf = (share, text) => {
  const full = make("span", { className: "full" });
  full.style.width = `${Math.min(Math.max(share, 0), 1) * 100}%`;
  const bar = make("span", { className: "bar", ariaHidden: "true" }, full);
  return make("span", { className: "share" }, bar, make("span", {}, text));
};

const contentOf = (column, text, value) => {
  if (column.kind === "share" && value != null) return [shareOf(Number(value), text)];
  if (column.kind === "line" && value?.length) return [lineOf(value, column.months, text)];
  return [text];
};

const classOf = (column) =>
  [
    column.numeric && "number",
    column.kind === "line" && "line",
    column.isLong && "long",
    column.pinned && "pinned",
  ]
    .filter(Boolean)
    .join(" ");

const cellOf = (column, row) => {
  const text = column.texts[row];
  const content = contentOf(column, text, column.values?.[row]);
  const cell = make("td", { className: classOf(column) });
  if (!column.isLong) cell.append(...content);
  else cell.append(make("span", { className: "clamp", title: text }, text));
  return cell;
};

const nameOf = (column, row, opens) => {
  const name = column.texts[row];
  const content = opens ? make("button", { type: "button" }, name) : make("span", {}, name);
  content.title = name;
  return make("th", { scope: "row", className: classOf(column) }, content);
};

const rowOf = (data, row) => {
  const [first, ...others] = data.columns;
  const opens = data.opens && !data.closed.includes(row);
  const cells = [nameOf(first, row, opens), ...others.map((column) => cellOf(column, row))];
  const tr = make("tr", { className: opens ? "opens" : "" }, ...cells);
  tr.dataset.row = row;
  if (row === data.current) tr.ariaCurrent = "true";
  return tr;
};

const headingOf = (column) => {
  const label = column.help
    ? make("abbr", { title: column.help }, column.label)
    : make("span", {}, column.label);
  const content =
    column.kind === "line"
      ? label
      : make("button", { type: "button", title: column.help || `Sort by ${column.label}` }, label);
  const th = make("th", { scope: "col", className: classOf(column) }, content);
  th.dataset.column = column.name;
  return th;
};

const totalOf = (columns) => {
  const [first, ...others] = columns;
  const name = make("th", { scope: "row", className: classOf(first) }, "Total");
  const cells = others.map((column) => {
    const cell = make("td", { className: classOf(column) });
    // All of it has no bar: that would say nothing.
    const value = column.kind === "share" ? null : column.totalValue;
    cell.append(...contentOf(column, column.total, value));
    return cell;
  });
  return make("tfoot", {}, make("tr", {}, name, ...cells));
};

const inOrder = (data, sort) => {
  const rows = [...Array(data.rows).keys()];
  const column = data.columns.find(({ name }) => name === sort.column);
  if (!column) return rows;
  const keys = column.values ?? column.texts;
  const sign = sort.descending ? -1 : 1;
  const compare = column.numeric ? (a, b) => a - b : letters.compare;
  const bySort = (a, b) =>
    (keys[a] == null) - (keys[b] == null) || (keys[a] != null && sign * compare(keys[a], keys[b]));
  const staying = data.rows - data.last;
  return [...rows.slice(0, staying).sort(bySort), ...rows.slice(staying)];
};

// Numbers: largest first, smallest first, as given. Words: the other way round.
const nextSort = (sort, column) => {
  if (sort.column !== column.name) return { column: column.name, descending: column.numeric };
  if (sort.descending === column.numeric) return { ...sort, descending: !column.numeric };
  return {};
};

const showOrder = (table, data, sort) => {
  const rows = [...table.tBodies[0].rows].sort((a, b) => a.dataset.row - b.dataset.row);
  table.tBodies[0].append(...inOrder(data, sort).map((row) => rows[row]));
  for (const th of table.tHead.rows[0].cells) {
    if (th.dataset.column !== sort.column) th.removeAttribute("aria-sort");
    else th.ariaSort = sort.descending ? "descending" : "ascending";
  }
};

const showFound = (table, data, sought, said) => {
  const words = sought.trim().toLocaleLowerCase("en");
  const holds = (row) =>
    data.columns.some(({ texts }) => texts[row].toLocaleLowerCase("en").includes(words));
  let found = 0;
  for (const tr of table.tBodies[0].rows) {
    tr.hidden = words !== "" && !holds(Number(tr.dataset.row));
    found += !tr.hidden;
  }
  said.textContent = words ? `${found} of ${data.rows} rows` : "";
};

const findOf = (table, data, state) => {
  const said = make("span", { role: "status" });
  const find = make("input", {
    type: "search",
    placeholder: "Find in this table",
    ariaLabel: `Find in ${data.what}`,
    value: state.sought,
    oninput: () => {
      state.sought = find.value;
      showFound(table, data, state.sought, said);
    },
  });
  showFound(table, data, state.sought, said);
  return make("div", { className: "find" }, find, said);
};

const tableOf = (data) => {
  for (const column of data.columns) {
    column.isLong = !column.numeric && column.kind === "text" && column.texts.some((t) => t.length > 40);
    if (column.kind === "line") column.months = longestLine(column);
  }
  const table = make("table", {});
  table.append(
    make("caption", {}, data.what),
    make("thead", {}, make("tr", {}, ...data.columns.map(headingOf))),
    make("tbody", {}, ...Array.from({ length: data.rows }, (_, row) => rowOf(data, row))),
  );
  if (data.hasTotal) table.append(totalOf(data.columns));
  return table;
};

const isLong = (data) => data.rows > WHOLE_ROWS;

// A click that ends the selection of a figure, to copy it, is no click on the row.
const isSelecting = (event) => !event.target.closest("button") && String(getSelection()) !== "";

export default ({ data, parentElement, setTriggerValue }) => {
  const state = states.get(parentElement) ?? { sort: {}, sought: "" };
  states.set(parentElement, state);
  const root = make("div", { className: "root" });
  parentElement.querySelector(".root")?.remove();
  parentElement.append(root);
  if (!data.rows) {
    root.append(make("p", {}, "Nothing to list."));
    return;
  }
  const table = tableOf(data);
  table.onclick = (event) => {
    const heading = event.target.closest("thead button")?.closest("th");
    const tr = event.target.closest("tbody tr");
    if (heading) {
      const column = data.columns.find(({ name }) => name === heading.dataset.column);
      state.sort = nextSort(state.sort, column);
      showOrder(table, data, state.sort);
    } else if (tr && !isSelecting(event)) {
      const { row } = tr.dataset;
      if (!tr.classList.contains("opens")) tr.classList.toggle("whole");
      else setTriggerValue("opened", { row: Number(row), name: data.columns[0].texts[row] });
    }
  };
  showOrder(table, data, state.sort);
  if (isLong(data)) root.append(findOf(table, data, state));
  root.append(make("div", { className: isLong(data) ? "frame tall" : "frame" }, table));
};
