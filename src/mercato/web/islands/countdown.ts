/** `<count-down until now>`: keeps the words of the time that is left up to date, by the chain's clock. */
class CountDown extends HTMLElement {
  #timer = 0;

  connectedCallback(): void {
    const until = Number(this.getAttribute("until"));
    const ahead = Number(this.getAttribute("now")) - Date.now() / 1000;
    const show = () => {
      const left = Math.max(0, Math.round(until - Date.now() / 1000 - ahead));
      const said = words(left);
      if (this.textContent !== said) this.textContent = said;
      if (!left) clearInterval(this.#timer);
    };
    show();
    this.#timer = setInterval(show, 1000);
  }

  disconnectedCallback(): void {
    clearInterval(this.#timer);
  }
}

/** As `left` in mercato.launch.words says it. */
export function words(seconds: number): string {
  const [d, h, m, s] = [seconds / 86_400, (seconds / 3600) % 24, (seconds / 60) % 60, seconds % 60].map(Math.floor);
  if (d) return `${d} d ${h} h`;
  if (h) return `${h} h ${m} min`;
  return m ? `${m} min ${s} s` : `${s} s`;
}

customElements.define("count-down", CountDown);
