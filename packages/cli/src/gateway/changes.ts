/** What a reload has changed, and what it could not. */
import type { Config } from './config.ts';
import { GatewayConfigError } from './config-error.ts';
import { listenersOf } from './listener-plan.ts';
import { errorFacts } from './log.ts';
import type { GatewayLog } from './log.ts';

/** What a running gateway keeps: other values need another start. */
const FIXED: readonly string[] = ['admin', 'workers', 'log'];

/** Logs which keys have other values, and which of them stay as they were. */
export function tellChanges(before: Config, { settings, locate }: Config, log: GatewayLog): void {
  const changed = (Object.keys(settings) as (keyof typeof settings)[]).filter(
    (key) => JSON.stringify(settings[key]) !== JSON.stringify(before.settings[key]),
  );
  for (const key of changed.filter((each) => FIXED.includes(each))) {
    log.warn({ key, source: locate([key]) }, 'needs another start to change');
  }
  const certificate = listenersOf(settings).some(({ tls }) => tls !== undefined);
  log.info({ changed, routes: settings.routes.length, certificate }, 'reloaded');
}

/** Says why a reload has changed nothing. */
export function tellKept(error: unknown, log: GatewayLog): void {
  const facts = error instanceof GatewayConfigError ? { problems: error.problems } : errorFacts(error);
  log.error(facts, 'the old configuration stays');
}
