/** What every page loads: forms and partials by htmx, the theme, the live connection. The rest comes when it is seen. */
import "htmx.org";
import "./theme.ts";
import "./live.ts";
import "./chart.ts";
import "./countdown.ts";

/** Loads what the elements on the page need; their code is fetched once, however often this is asked. */
function equip(): void {
  if (document.querySelector("wallet-button")) void import("./account.ts");
  if (document.querySelector("wallet-form")) void import("./signing.ts");
  if (document.querySelector("seal-form")) void import("./seal.ts");
}

equip();
document.addEventListener("htmx:after:swap", equip);
