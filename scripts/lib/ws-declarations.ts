/** Puts the declarations of `pq-websocket/ws` beside its code: for require(), where it is one class, and for import. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const SOURCE = path.resolve(import.meta.dirname, '../../types/ws.d.cts');
const COMMON_JS = 'export = WebSocket;';
/** Exported by themselves, or not at all. */
const NOT_REPEATED = new Set(['WebSocket', 'TransportClientOptions', 'RefusedClass']);

/** @param folder where `ws.js` and `ws.cjs` are */
export function writeWsDeclarations(folder: string): void {
  const text = readFileSync(SOURCE, 'utf8');
  if (!text.includes(COMMON_JS)) throw new Error(`${SOURCE} has no '${COMMON_JS}'`);
  const namespace = text.slice(text.indexOf('declare namespace WebSocket {'));
  const names = [...namespace.matchAll(/^ {2,4}(?:type|interface|class|const|function) (\w+)/gm)].map(
    ([, name]) => name as string,
  );
  const unique = [...new Set(names)].filter((name) => !NOT_REPEATED.has(name));
  const esm = [
    ...unique.map((name) => `export import ${name} = WebSocket.${name};`),
    'export default WebSocket;',
    'export { WebSocket };',
  ].join('\n');
  writeFileSync(path.join(folder, 'ws.d.cts'), text);
  writeFileSync(
    path.join(folder, 'ws.d.ts'),
    text.replace(COMMON_JS, esm).replaceAll("'./server.cjs'", "'./server.js'"),
  );
}

/** As npm `ws`: what require() gives is the class, and all else stands on it. */
export function exportWsAsClass(folder: string): void {
  for (const name of ['ws.cjs', 'ws-lenient.cjs']) {
    const file = path.join(folder, name);
    const code = readFileSync(file, 'utf8');
    writeFileSync(file, `${code.trimEnd()}\nmodule.exports = Object.assign(exports.default, exports);\n`);
  }
}
