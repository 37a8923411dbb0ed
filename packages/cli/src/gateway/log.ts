/** The gateway's log. Addresses, routes, counts and codes go in; messages, queries, header values and reasons never do. */
import { Writable } from 'node:stream';
import { pino } from 'pino';
import pretty from 'pino-pretty';
import { standardSink } from './log-sink.ts';
import type { LogSink } from './log-sink.ts';
import type { GatewaySettings } from './schema.ts';

/** What a log has to do; pino's loggers do. */
export interface GatewayLog {
  /** Only useful when looking for a fault. */
  debug(facts: object, message: string): void;
  /** What happens. */
  info(facts: object, message: string): void;
  /** What an operator should look at. */
  warn(facts: object, message: string): void;
  /** What has failed. */
  error(facts: object, message: string): void;
}

/** Writes to standard output: one JSON object a line, or lines for people. */
export function createLog(
  { format, level }: Pick<GatewaySettings['log'], 'format' | 'level'>,
  sink: LogSink = standardSink(),
): GatewayLog {
  const options = { level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime };
  if (format === 'json') return pino(options, sink);
  const colorize = process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '';
  const destination = new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      sink.write(line);
      done();
    },
  });
  return pino(options, pretty({ colorize, destination, translateTime: 'SYS:HH:MM:ss.l' }));
}

/** A log on which nothing of anybody's own fails: what a log of the operator's throws is lost with the line. */
export function safeLog(log: GatewayLog): GatewayLog {
  const at =
    (level: keyof GatewayLog) =>
    (facts: object, message: string): void => {
      try {
        log[level](facts, message);
      } catch {
        // Nobody is left to be told.
      }
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** What a log may hold of an error from inside: where it was thrown, and never its message, which may quote what was said. */
export function errorFacts(error: unknown): { error: string; code?: string | undefined; at?: string | undefined } {
  if (!(error instanceof Error)) return { error: typeof error };
  const { name, stack = '' } = error;
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return {
    error: name,
    code: (error as NodeJS.ErrnoException).code,
    at: frames
      .slice(0, 3)
      .map((line) => line.trim())
      .join(' < '),
  };
}
