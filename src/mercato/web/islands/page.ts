/** What every page loads: forms and partials by htmx, the theme, the live connection. Charts come when one is seen. */
import "htmx.org";
import "./theme.ts";
import "./live.ts";
import "./chart.ts";
