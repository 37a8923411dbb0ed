/** What the documents name exists, and what exists is named. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import * as ws from 'ws';
import { CLIENT_AUTHENTICATION_OPTIONS } from '../../src/options/client-identity.ts';
import { SERVER_AUTHENTICATION_OPTIONS } from '../../src/options/server-identity.ts';
import { CHANNEL_OPTION_NAMES } from '../../src/options/channel.ts';
import { NOT_IN_SIDEBAR, SIDEBAR } from '../../site/.vitepress/sidebar.ts';
import { OWN_SERVER_OPTIONS, SHOWN_DEFAULTS, WS_SERVER_OPTIONS } from '../../src/ws/options.ts';

const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const pages = ['docs/client.md', 'docs/server.md', 'docs/failures.md'].map(read).join('\n');

describe('the pages on client, server and failures explain', () => {
  const codes =
    read('src/api/errors.ts')
      .match(/^ {2}PQ_ERR_\w+/gm)
      ?.map((code) => code.trim()) ?? [];

  test('there are failure codes to look for', () => {
    expect(codes.length).toBeGreaterThan(20);
  });

  test.each(codes)('%s', (code) => {
    expect(pages).toContain(`\`${code}\``);
  });

  test.each([
    ...CHANNEL_OPTION_NAMES,
    ...CLIENT_AUTHENTICATION_OPTIONS,
    ...SERVER_AUTHENTICATION_OPTIONS,
    ...OWN_SERVER_OPTIONS,
    ...WS_SERVER_OPTIONS,
    'strict',
    'WebSocket',
  ])('the option %s', (option) => {
    expect(pages).toContain(`\`${option}\``);
  });
});

test('the README is a front page: at most 200 lines', () => {
  expect(read('README.md').split('\n').length).toBeLessThanOrEqual(200);
});

describe('docs/ws.md lists', () => {
  const page = read('docs/ws.md');
  // Clients take these too; the rest of http.request and tls.connect is one line there.
  const ofClients = [
    'finishRequest',
    'followRedirects',
    'generateMask',
    'handshakeTimeout',
    'headers',
    'maxRedirects',
    'origin',
    'protocolVersion',
  ];

  test.each([...Object.keys(SHOWN_DEFAULTS), ...ofClients])('the option %s', (option) => {
    expect(page).toMatch(new RegExp(`\`${option}[\`(]`));
  });

  test.each(
    [
      ...Object.getOwnPropertyNames(ws.WebSocket.prototype),
      ...Object.getOwnPropertyNames(ws.WebSocketServer.prototype),
    ].filter((name) => !['constructor', 'setSocket', 'emitClose', 'completeUpgrade'].includes(name)),
  )('the member %s', (name) => {
    expect(page).toMatch(new RegExp(`\`${name}[\`([]`));
  });

  test.each(Object.keys(ws))('the export %s', (name) => {
    expect(page).toMatch(name === 'default' ? /default export/ : new RegExp(`\\b${name}\\b`));
  });
});

describe("the site's sidebar", () => {
  /** Where the site has a document; a README is what its folder shows. */
  const addressOf = (file: string): string => `/${file.replace(/(^|\/)README\.md$/, '$1').replace(/\.md$/, '')}`;
  const linked = SIDEBAR.flatMap(({ items }) => items.map(({ link }) => link));
  const listed = [...read('docs/README.md').matchAll(/\]\(([^)#\s]+\.md)(?:#[^)]*)?\)/g)].map(([, target = '']) =>
    addressOf(path.normalize(path.join('docs', target))),
  );

  test('there are pages to look for', () => {
    expect(listed.length).toBeGreaterThan(40);
  });

  test.each([...new Set(listed)])('leads to %s, which docs/README.md lists, or says why not', (address) => {
    expect([...linked, ...Object.keys(NOT_IN_SIDEBAR)]).toContain(address);
  });

  test.each(linked)('%s is a document', (address) => {
    const file = address.endsWith('/') ? `${address}README.md` : `${address}.md`;
    expect(existsSync(path.join(root, file))).toBe(true);
  });

  test('names no page twice, and leaves none out that it has or that nobody lists', () => {
    expect(linked).toEqual([...new Set(linked)]);
    for (const address of Object.keys(NOT_IN_SIDEBAR)) {
      expect(linked).not.toContain(address);
      expect(listed).toContain(address);
    }
  });
});

describe("SECURITY.md's tests exist", () => {
  const cited = [...read('SECURITY.md').matchAll(/`([\w/-]+\.test\.ts)`: ([^|]+?) \|/g)].map(
    ([, file, name]) => [file as string, name as string] as const,
  );

  test('there are citations to look up', () => {
    expect(cited.length).toBeGreaterThan(20);
  });

  test.each(cited)('%s: %s', (file, name) => {
    expect(read(path.join('test', file))).toContain(name);
  });
});

describe('the vectors that SECURITY.md names', () => {
  type Case = { readonly id: string; readonly setup: { readonly seqFrom?: number } };
  const cases = new Map(
    ['v1.json', 'yellowpages.json', 'extensions.json'].flatMap((file) =>
      (JSON.parse(read(`test/vectors/${file}`)) as { readonly cases: readonly Case[] }).cases.map(
        (each) => [each.id, each] as const,
      ),
    ),
  );
  // In a row: "vector" or "vectors", then ids with commas between. The file that the row cites runs them on our sessions.
  const named = read('SECURITY.md')
    .split('\n')
    .flatMap((row) => (/ vectors? ((?:`[\w.-]+`(?:, )?)+)/.exec(row)?.[1] ?? '').match(/[\w.-]+/g) ?? []);

  test('there are some, and no row sends a reader to the reference peer for what ours does', () => {
    expect(named.length).toBeGreaterThan(4);
    expect(read('SECURITY.md')).not.toContain('reference.test.ts');
    expect(read('SOUNDNESS.md')).not.toContain('reference.test.ts');
  });

  test.each(named)('%s is a case, and vectors/extension-cases.test.ts runs it', (id) => {
    expect(cases.get(id)).toBeDefined();
    expect(cases.get(id)?.setup.seqFrom).toBeUndefined();
  });
});
