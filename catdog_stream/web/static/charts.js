// The last hour as charts. uPlot (MIT licence) draws them.

/* global uPlot */

const HEIGHT = 180;
const FONT = "12px system-ui, sans-serif";
const LEAST_SECONDS = 300;
const HOUR = 3600;

export class Charts {
  constructor(rate, latency) {
    this.places = { rate, latency };
    this.drawn = {};
    this.rows = [];
    this.labels = null;
    this.loading = false;
    const redraw = () => this.draw(true);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    new ResizeObserver(() => this.resize()).observe(rate);
  }

  // The whole hour.
  async load() {
    if (this.loading) return;
    this.loading = true;
    try {
      const answer = await fetch("/history/");
      if (!answer.ok) return;
      const { step, labels, colors, rows } = await answer.json();
      this.rows = rows;
      this.step = step;
      this.setLabels(labels, colors);
      this.draw(false);
    } catch {
      // The connection is looked after elsewhere, and calls again.
    } finally {
      this.loading = false;
    }
  }

  // The last rows; they replace what is known of their times.
  add({ labels, colors, rows }) {
    const last = this.rows.at(-1);
    const gap = last !== undefined && rows.length > 0 && rows[0][0] > last[0] + this.step;
    if (this.labels === null || gap || this.setLabels(labels, colors)) {
      this.load();
      return;
    }
    if (rows.length === 0) return;
    this.rows = [...this.rows.filter((row) => row[0] < rows[0][0]), ...rows]
      .filter((row) => row[0] > rows.at(-1)[0] - HOUR);
    this.draw(false);
  }

  // Whether they are others than before.
  setLabels(labels, colors) {
    const same = JSON.stringify([labels, colors]) === JSON.stringify([this.labels, this.colors]);
    if (!same) {
      this.labels = labels;
      this.colors = colors;
      this.forget();
    }
    return !same;
  }

  forget() {
    for (const chart of Object.values(this.drawn)) chart.destroy();
    this.drawn = {};
  }

  draw(anew) {
    if (this.rows.length === 0 || this.labels === null) return;
    if (anew) this.forget();
    const times = this.rows.map((row) => row[0] + this.step);
    this.put("rate", [
      times,
      ...this.labels.map((_, n) => this.rows.map((row) => row[1][n] / this.step)),
      this.rows.map((row) => row[2] / this.step),
    ], [
      ...this.labels.map((label, n) => line(label, `--${this.colors[n]}`)),
      { ...line("rejected", "--refused"), dash: [6, 4] },
    ], "pictures per second", (value) => `${round(value)}/s`, (value) => value.toLocaleString("en"));
    this.put("latency", [
      times,
      this.rows.map((row) => row[3]),
      this.rows.map((row) => row[4]),
    ], [line("p50", "--p50"), { ...line("p99", "--p99"), dash: [6, 4] }],
    "time to an answer", duration, duration);
  }

  put(name, data, series, unit, format, mark) {
    if (this.drawn[name] !== undefined) {
      this.drawn[name].setData(data);
      return;
    }
    const place = this.places[name];
    place.replaceChildren();
    for (const each of series) each.value = (_, value) => value === null ? "-" : format(value);
    this.drawn[name] = new uPlot({
      width: place.clientWidth,
      height: HEIGHT,
      padding: [8, 20, 0, 0], // half of the last time is beside it
      cursor: { y: false, points: { size: 6 } },
      legend: { live: true },
      scales: {
        x: { time: true, range: (_, first, last) => [Math.min(first, last - LEAST_SECONDS), last] },
        y: { range: (_, least, most) => [0, Math.max(most, 0.01) * 1.08] },
      },
      axes: [
        axis({ space: 70, values: (_, times) => times.map((time) => clock(time).slice(0, 5)) }),
        axis({
          size: 52, space: 36, values: (_, marks) => marks.map(mark),
          label: unit, labelSize: 18, labelGap: 2, labelFont: FONT,
        }),
      ],
      series: [{ label: "time", value: (_, value) => value === null ? "-" : clock(value) }, ...series],
    }, data, place);
  }

  resize() {
    for (const [name, chart] of Object.entries(this.drawn)) {
      const width = this.places[name].clientWidth;
      if (width > 0 && width !== chart.width) chart.setSize({ width, height: HEIGHT });
    }
  }
}

function line(label, color) {
  const stroke = token(color);
  return {
    label, stroke, fill: `color-mix(in srgb, ${stroke} 12%, transparent)`, width: 2,
    points: { show: false, filter: alone, size: 5, fill: stroke },
  };
}

// The values of a line without neighbours, of which no line can be seen.
function alone(chart, number) {
  const values = chart.data[number];
  const empty = (value) => value === null || value === undefined;
  const found = [...values.keys()].filter((at) => !empty(values[at])
    && empty(values[at - 1]) && empty(values[at + 1]));
  return found.length > 0 ? found : null;
}

function axis(more) {
  return {
    stroke: token("--muted"), font: FONT,
    grid: { stroke: token("--line"), width: 1 }, ticks: { show: false }, ...more,
  };
}

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });
}

// Of seconds, as the page has them elsewhere.
function duration(value) {
  if (value === 0) return "0";
  return value < 1 ? `${round(value * 1000).replace(/\.0$/, "")} ms` : `${round(value)} s`;
}

function round(value) {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(1);
}
