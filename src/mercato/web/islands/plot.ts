/** The drawn chart, loaded only on pages that have one: uPlot with our colours, units and a reading of the cursor. */
import uPlot from "uplot";
import css from "uplot/dist/uPlot.min.css" with { type: "text" };
import type { Data } from "./chart.ts";

const sheet = new CSSStyleSheet();
sheet.replaceSync(css);
document.adoptedStyleSheets.push(sheet);

const SHARES = new Set(["ratio", "share", "fraction", "return", "change"]);
const STEPS: [number, string][] = [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e5, "k"]];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function digits(value: number, places: number): string {
  return value.toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places });
}

function three(value: number): string {
  return Number.isInteger(value) && value < 1000 ? String(value) : value.toLocaleString("en", {
    minimumSignificantDigits: 3,
    maximumSignificantDigits: 3,
  });
}

/** Says an amount as the server does, so that a number keeps its form when the pointer moves. */
function size(value: number, unit: string): string {
  if (SHARES.has(unit)) return `${digits(value * 100, 1)}%`;
  const step = STEPS.find(([least]) => value >= least);
  if (step) return three(value / (step[1] === "k" ? 1e3 : step[0])) + step[1];
  if (Number.isInteger(value)) return digits(value, 0);
  if (value >= (unit === "usd" ? 1e4 : 1e3)) return digits(value, 0);
  return value >= 1 ? digits(value, 2) : three(value);
}

function words(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined) return "unknown";
  return (value < 0 ? "−" : "") + (unit === "usd" ? "$" : "") + size(Math.abs(value), unit);
}

/** Returns the colour that a class or a variable has now; both change with the theme. */
function colour(host: Element, name: string): string {
  const probe = document.createElement("i");
  probe.className = name;
  host.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** Returns how a moment of the x axis is said: by day over a year at most, by month beyond. */
function days(data: Data): (seconds: number) => string {
  const long = (data.x.at(-1) ?? 0) - (data.x[0] ?? 0) > 400 * 86_400;
  return (seconds) => {
    const day = new Date(seconds * 1e3), month = MONTHS[day.getUTCMonth()] ?? "";
    return long ? `${month} ${day.getUTCFullYear()}` : `${day.getUTCDate()} ${month}`;
  };
}

function heights(data: Data): (number | null)[][] {
  if (data.kind !== "stacked") return data.lines.map((line) => line.values);
  const totals = data.x.map(() => 0);
  return data.lines.map((line) =>
    line.values.map((value, at) => {
      totals[at] = (totals[at] ?? 0) + (value ?? 0);
      return value === null ? null : totals[at] ?? null;
    })
  );
}

function series(host: HTMLElement, data: Data): uPlot.Series[] {
  return data.lines.map((line, at) => {
    const stroke = colour(host, line.colour);
    const fill = data.kind === "stacked" ? stroke : data.kind === "area" ? stroke.replace(")", " / 0.15)") : undefined;
    const value = (_: uPlot, __: number | null, ___: number, index: number | null) =>
      words(index === null ? line.values.findLast((item) => item !== null) : line.values[index], data.unit);
    return {
      label: line.label,
      stroke,
      fill: fill?.startsWith("rgb(") && data.kind === "area" ? `rgba(${stroke.slice(4, -1)}, 0.15)` : fill,
      width: data.kind === "stacked" ? 0 : 2,
      points: { show: data.x.length === 1 },
      value: value as uPlot.Series.Value,
      spanGaps: false,
      show: true,
      _at: at,
    } as uPlot.Series;
  });
}

function options(host: HTMLElement, data: Data): uPlot.Options {
  const text = colour(host, "ink-muted"), line = colour(host, "ink-line");
  const font = `12px ${getComputedStyle(host).fontFamily}`;
  const axis = { stroke: text, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
  const drawn = series(host, data);
  return {
    width: host.clientWidth,
    height: host.clientHeight,
    legend: { show: false },
    cursor: { y: false, points: { size: 7 } },
    padding: [9, 20, 0, 0],
    scales: { y: { range: data.y } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 28,
        space: host.clientWidth < 600 ? 60 : 90,
        values: (_, ticks) => ticks.map(days(data)),
      },
      { ...axis, size: 62, splits: data.ticks, values: data.tickWords },
    ],
    // Layers of a stack are drawn from the top down, so that each covers what is not its own.
    series: [{ value: "{YYYY}-{MM}-{DD}" }, ...(data.kind === "stacked" ? drawn.toReversed() : drawn)],
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "UTC"),
  };
}

/** Shows the values under the cursor in the legend that the server wrote, and the newest ones elsewhere. */
function reading(host: HTMLElement, data: Data): (plot: uPlot) => void {
  const places = [...host.closest("figure")?.querySelectorAll(".legend b") ?? []];
  const rest = places.map((place) => place.textContent);
  const day = host.appendChild(document.createElement("time"));
  return (plot) => {
    const at = plot.cursor.idx;
    const known = at !== null && at !== undefined && (plot.cursor.left ?? -1) >= 0;
    day.textContent = known ? new Date((data.x[at] ?? 0) * 1e3).toISOString().slice(0, 10) : "";
    places.forEach((place, line) => {
      place.textContent = known ? words(data.lines[line]?.values[at], data.unit) : rest[line] ?? "";
    });
  };
}

/** Draws `data` into `host` and follows its size and the theme; returns what removes it again. */
export function draw(host: HTMLElement, data: Data): () => void {
  const still = host.querySelector<HTMLElement>(".still");
  const frame = host.appendChild(document.createElement("div"));
  const read = reading(host, data);
  const columns = heights(data);
  const values = [data.x, ...(data.kind === "stacked" ? columns.toReversed() : columns)] as uPlot.AlignedData;
  let plot: uPlot | null = null;
  const paint = () => {
    plot?.destroy();
    if (still) still.hidden = true;
    plot = new uPlot({ ...options(host, data), hooks: { setCursor: [read] } }, values, frame);
  };
  const sized = new ResizeObserver(() => plot?.setSize({ width: host.clientWidth, height: host.clientHeight }));
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  addEventListener("mercato:theme", paint);
  scheme.addEventListener("change", paint);
  paint();
  sized.observe(host);
  return () => {
    sized.disconnect();
    removeEventListener("mercato:theme", paint);
    scheme.removeEventListener("change", paint);
    plot?.destroy();
    frame.remove();
  };
}
