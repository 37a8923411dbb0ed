/** Browsers, their workers, and workerd, from modules. */
import type { Platform } from './platform.ts';
// Before the others: one file with all of them compresses by a kilobyte better where the KEMs come first.
import { portableParts } from './portable-parts.ts';
import { moduleParts } from './module-parts.ts';
import { webPlatform } from './web-platform.ts';

export const platform = /* @__PURE__ */ modules();

function modules(): Platform {
  return webPlatform({ ...portableParts(), ...moduleParts() });
}
