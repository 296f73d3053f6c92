import axe from "axe-core";
(globalThis as unknown as { axe: typeof axe }).axe = axe;
