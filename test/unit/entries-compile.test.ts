/** A public method that is renamed in its class fails the compiler: seen by renaming some, each in a copy in memory. */
import path from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { shareCompilers } from '../../scripts/lib/compiler.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const WATCHED = 'test/unit/declared-members.ts';

const { options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(path.join(ROOT, 'tsconfig.json'), (file) => ts.sys.readFile(file)).config,
  ts.sys,
  ROOT,
);
const compilers = shareCompilers();
let before: ts.Program | undefined;

/** The codes of what the compiler says of these files when one of them reads otherwise. */
function errors(files: readonly string[], changed?: { readonly file: string; readonly text: string }): number[] {
  const program: ts.Program = ts.createProgram({
    rootNames: files.map((file) => path.join(ROOT, file)),
    options,
    ...(before !== undefined && { oldProgram: before }),
    host: compilers.host(options, changed && { file: path.join(ROOT, changed.file), text: changed.text }),
  });
  before = program;
  return files.flatMap((file) => {
    const source = program.getSourceFile(path.join(ROOT, file));
    if (source === undefined) throw new Error(`${file} is not in the program`);
    return program.getSemanticDiagnostics(source).map(({ code }) => code);
  });
}

const FILES = [
  'src/index.ts',
  'src/server.ts',
  'src/ws.ts',
  'src/ws/socket/socket.ts',
  'src/dom/pq-websocket.ts',
  WATCHED,
];

/** TS2420: a class implements an interface incorrectly; TS2741: a property is missing. */
const RENAMED: readonly (readonly [file: string, from: string, to: string, code: number])[] = [
  ['src/ws/socket/socket.ts', '  terminate(): void {', '  terminates(): void {', 2420],
  ['src/ws/socket/socket.ts', '  get isPaused(): boolean {', '  get paused(): boolean {', 2420],
  ['src/dom/pq-websocket.ts', '  close(code: unknown', '  end(code: unknown', 2420],
  ['src/dom/pq-websocket.ts', '  get protocol(): string {', '  get subprotocol(): string {', 2420],
  ['src/ws/server.ts', '  handleUpgrade(request', '  upgrade(request', 2741],
  ['src/ws/server.ts', '  shouldHandle(request', '  handles(request', 2741],
];

test('as it stands there is no error', { timeout: 120_000 }, () => {
  expect(errors(FILES)).toEqual([]);
});

test.each(RENAMED)('%s: "%s" as "%s"', { timeout: 120_000 }, (file, from, to, code) => {
  const text = ts.sys.readFile(path.join(ROOT, file)) ?? '';
  expect(text).toContain(from);
  expect(errors(FILES, { file, text: text.replace(from, to) })).toContain(code);
});
