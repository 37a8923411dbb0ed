/** The gateway's log. Addresses, routes, counts and codes go in; messages, queries, header values and reasons never do. */
import { pino } from 'pino';
import pretty from 'pino-pretty';
import type { GatewaySettings } from './schema.ts';

/** What a log has to do; pino's loggers do. */
export interface GatewayLog {
  /** What only somebody who looks for a fault wants. */
  debug(facts: object, message: string): void;
  /** What happens. */
  info(facts: object, message: string): void;
  /** What an operator should look at. */
  warn(facts: object, message: string): void;
  /** What has failed. */
  error(facts: object, message: string): void;
}

/** Writes to standard output: one JSON object a line, or lines for people. */
export function createLog({ format, level }: GatewaySettings['log']): GatewayLog {
  const options = { level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime };
  if (format === 'json') return pino(options);
  const colorize = process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '';
  return pino(options, pretty({ colorize, sync: true, translateTime: 'SYS:HH:MM:ss.l' }));
}
