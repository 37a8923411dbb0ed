/** Where processor time goes, by whose code it is spent in: what bounds a workload that misses its target. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Part, Profiles, Shares } from '../results.ts';
import { PARTS } from '../results.ts';
import { markdownTable } from './markdown.ts';
import { figure } from './table.ts';

/** What V8 writes with --cpu-prof, as far as it is looked at. */
export interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame }[];
  readonly samples: readonly number[];
  /** Microseconds from the sample before. */
  readonly timeDeltas: readonly number[];
}

interface Frame {
  readonly functionName: string;
  readonly url: string;
  /** From 0. */
  readonly lineNumber: number;
}

/** Node's bindings have no file. */
const CIPHER_BINDINGS = new Set(['CipherBase', 'update', 'final', 'setAAD', 'setAuthTag', 'getAuthTag']);
const KEY_BINDINGS = new Set(['KeyObjectHandle', 'HKDFJob', 'getRandomValues']);
/** What calls pq-websocket-native for a record. V8 counts the time of a Node-API function as that of its caller. */
const NATIVE_CIPHER = new Set(['seal', '#seal', 'sealFresh', 'open', 'openTo']);
const NETWORK_BINDINGS = new Set([
  'writev',
  'writeBuffer',
  'writeUtf8String',
  'writeLatin1String',
  'writeAsciiString',
  'shutdown',
  'close',
  'connect',
  'readStart',
  'readStop',
]);
/** Loading is over before anything is measured. */
const LOADING = /^node:internal\/(modules|bootstrap|deps|vm|process\/(pre_execution|esm_loader))/;

/** Lines, from 0, of the backend that calls pq-websocket-native: one function at the outermost level of its file. */
type Lines = readonly [first: number, last: number];

const nativeBackends = new Map<string, Lines | undefined>();

function nativeBackendIn(url: string): Lines | undefined {
  if (!nativeBackends.has(url)) {
    const lines = readFileSync(fileURLToPath(url), 'utf8').split('\n');
    const first = lines.findIndex((line) => line.startsWith('function nativeBackend('));
    nativeBackends.set(url, first < 0 ? undefined : [first, lines.indexOf('}', first)]);
  }
  return nativeBackends.get(url);
}

function partOfPackage({ functionName, url, lineNumber }: Frame): Part {
  const [first, last] = nativeBackendIn(url) ?? [0, -1];
  if (lineNumber < first || lineNumber > last) return 'this package';
  return NATIVE_CIPHER.has(functionName) ? 'AES-256-GCM' : 'KEM, HKDF, hashes, keys';
}

/** @returns undefined for time in which the process slept, or loaded its code */
export function partOf(frame: Frame): Part | undefined {
  const { functionName, url } = frame;
  if (functionName === '(idle)' || functionName === '(root)' || LOADING.test(url)) return undefined;
  if (functionName === '(garbage collector)') return 'collector';
  if (url === '') {
    if (CIPHER_BINDINGS.has(functionName)) return 'AES-256-GCM';
    if (KEY_BINDINGS.has(functionName)) return 'KEM, HKDF, hashes, keys';
    return NETWORK_BINDINGS.has(functionName) ? 'network' : 'the rest';
  }
  if (url === 'node:internal/crypto/cipher') return 'AES-256-GCM';
  if (url.startsWith('node:internal/crypto/') || url === 'node:crypto') return 'KEM, HKDF, hashes, keys';
  if (url.startsWith('node:')) return 'Node: HTTP, streams, events';
  if (url.includes('/node_modules/ws/')) return 'npm ws';
  return url.includes('/dist/node/') ? partOfPackage(frame) : 'the rest';
}

export function shares(profiles: readonly CpuProfile[]): Shares {
  const spent = new Map<Part, number>(PARTS.map((part) => [part, 0]));
  let busy = 0;
  for (const { nodes, samples, timeDeltas } of profiles) {
    const parts = new Map(nodes.map(({ id, callFrame }) => [id, partOf(callFrame)]));
    for (const [index, id] of samples.entries()) {
      const part = parts.get(id);
      if (part === undefined) continue;
      const time = timeDeltas[index] ?? 0;
      busy += time;
      spent.set(part, (spent.get(part) ?? 0) + time);
    }
  }
  return Object.fromEntries(
    PARTS.map((part) => [part, busy === 0 ? 0 : (100 * (spent.get(part) ?? 0)) / busy]),
  ) as Record<Part, number>;
}

export function profileTable(profiles: Profiles): string {
  const rows = profiles.map(({ workload, build, total, shares }) => [
    workload,
    build,
    figure(total),
    ...PARTS.map((part) => figure((total * shares[part]) / 100)),
  ]);
  return markdownTable(['µs of an operation', 'build', 'in all', ...PARTS], rows);
}
