/** The command line of `npm run load`. */
import { parseArgs } from 'node:util';

export interface LoadArguments {
  readonly connections: number;
  /** Seconds of traffic in each part. */
  readonly seconds: number;
  /** Messages a second that each connection sends, each of which is echoed. */
  readonly rate: number;
  readonly isQuick: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

export const USAGE = `npm run load -- [options]

  --connections N  how many at once (default 5000)
  --seconds N      of traffic in each part (default 60)
  --rate N         messages a second that each connection sends (default 0.5)
  --quick          300 connections, 4 seconds, 2 messages a second each
  --json           print JSON instead of the table
  --help           this text

Eight parts: a plain proxy and the gateway, each alone and with slow readers, cut connections and garbage among its
clients, 1 % each, which come from one address, and the last two again and again, a second later each; the gateway
while one client floods it with empty messages, with key updates, and with batches of empty messages, each as fast as
they are taken; and the plain proxy with the first of these floods. With a flood the p99 of all others is to stay within
three times what it was directly before, which the column behind it shows; flood/s is what of the flood has come
through. The plain proxy's p99 is not judged, nor is that of a --quick run, which is of few messages. The crowd
comes from many addresses (of 127.0.0.0/8, which Linux and Windows have). The gateway has its usual limits for an
address. Ends with another exit code than 0 when anything failed that should not have.
Two file descriptors a connection are needed in one process: raise \`ulimit -n\` for more than it allows.`;

/** @throws {Error} that names the option which is wrong */
export function readArguments(args: readonly string[]): LoadArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      connections: { type: 'string' },
      seconds: { type: 'string' },
      rate: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const number = (name: 'connections' | 'seconds' | 'rate', usual: number, quick: number, least: number): number => {
    const text = values[name];
    if (text === undefined) return values.quick ? quick : usual;
    const value = Number(text);
    if (!(value >= least))
      throw new RangeError(`--${name}: expected a number from ${least} on, got ${JSON.stringify(text)}`);
    return value;
  };
  return {
    connections: Math.floor(number('connections', 5_000, 300, 100)),
    seconds: number('seconds', 60, 4, 1),
    rate: number('rate', 0.5, 2, 0.01),
    isQuick: values.quick,
    json: values.json,
    help: values.help,
  };
}
