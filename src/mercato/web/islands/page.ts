/** What every page loads: forms and partials by htmx, the theme, the live connection. The rest comes when it is seen. */
import "htmx.org";
import "./theme.ts";
import "./live.ts";
import "./chart.ts";
import "./countdown.ts";

if (document.querySelector("wallet-button")) void import("./account.ts");
if (document.querySelector("wallet-form")) void import("./signing.ts");
document.addEventListener("htmx:after:swap", () => {
  if (document.querySelector("wallet-form")) void import("./signing.ts");
});
