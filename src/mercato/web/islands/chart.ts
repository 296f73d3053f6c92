/** `<series-chart>`: swaps the server's still picture for one that can be read off and zoomed, once it is seen. */
export type Data = {
  kind: "line" | "area" | "stacked";
  unit: string;
  x: number[];
  y: [number, number];
  ticks: number[];
  tickWords: string[];
  lines: { label: string; colour: string; values: (number | null)[] }[];
};

class SeriesChart extends HTMLElement {
  #close: (() => void) | null = null;
  #seen: IntersectionObserver | null = null;

  connectedCallback(): void {
    this.#seen = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) void this.#draw();
    }, { rootMargin: "200px" });
    this.#seen.observe(this);
  }

  disconnectedCallback(): void {
    this.#seen?.disconnect();
    this.#close?.();
    this.#close = null;
  }

  async #draw(): Promise<void> {
    this.#seen?.disconnect();
    const text = this.querySelector("script")?.textContent;
    if (!text || this.#close) return;
    const { draw } = await import("./plot.ts");
    if (this.isConnected) this.#close = draw(this, JSON.parse(text) as Data);
  }
}

customElements.define("series-chart", SeriesChart);
