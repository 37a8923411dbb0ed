// Loads every entry point of the built package as its users do: by import and by require, in the oldest and the newest Node.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { nodeBinary } from './lib/toolchain.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const entries = ['.', 'packages/nitro', 'packages/cli'].flatMap((folder) => {
  const { name, exports } = JSON.parse(readFileSync(path.join(ROOT, folder, 'package.json'), 'utf8'));
  return (
    Object.entries(exports)
      // What registers is all effect: `npm run register` tries it.
      .filter(([entry, target]) => typeof target === 'object' && entry !== './register')
      .map(([entry]) => `${name}${entry.slice(1)}`)
  );
});
if (entries.length < 10) throw new Error('the packages name too few entry points');

/**
 * Importing has no side effect: no global that was not there, no randomness, no timer, no standard stream that is opened, nothing that
 * keeps the process running. Node itself makes some of its globals when they are first looked at, so those are looked at before.
 */
const NO_EFFECTS = `
  const crypto = require('node:crypto');
  const { syncBuiltinESMExports } = require('node:module');
  const done = [];
  const trap = (target, name) => {
    const original = target[name];
    target[name] = function (...given) { done.push(name); return original.apply(this, given); };
  };
  for (const name of ['randomBytes', 'randomFillSync', 'randomFill', 'randomUUID', 'randomInt', 'generateKeyPairSync']) trap(crypto, name);
  for (const name of ['getRandomValues', 'randomUUID']) trap(globalThis.crypto, name);
  // What node -e itself gives a script as globals.
  const ofScript = ['module', 'exports', 'require', '__filename', '__dirname'];
  const keys = () => Reflect.ownKeys(globalThis).filter((key) => !ofScript.includes(key));
  const globals = () => keys().map((key) => [key, Object.getOwnPropertyDescriptor(globalThis, key)]);
  for (const key of Reflect.ownKeys(globalThis)) void globalThis[key];
  for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask']) trap(globalThis, name);
  syncBuiltinESMExports();
  for (const name of ['stdin', 'stdout', 'stderr']) {
    const { get } = Object.getOwnPropertyDescriptor(process, name);
    Object.defineProperty(process, name, { get() { done.push(name); return get.call(process); } });
  }
  const before = new Map(globals());
  const same = (a, b) => b !== undefined && Object.is(a.value, b.value) && a.get === b.get && a.set === b.set;
  const check = (file) => {
    for (const [key, descriptor] of globals()) if (!same(descriptor, before.get(key))) done.push('global ' + String(key));
    if (done.length > 0) throw new Error(file + ': importing it has side effects: ' + done.join());
  };
  (async () => {
    for (const file of FILES) {
      if (file.endsWith('.cjs')) require(file);
      else await import(file);
      check(file);
    }
    const kept = process.getActiveResourcesInfo().filter((name) => !/^(TTY|Pipe|File|Tick|Immediate|CloseReq|FSReq)/.test(name));
    if (kept.length > 0) throw new Error('importing keeps the process running: ' + kept.join());
  })();
`;

const SCRIPT = `
  for (const entry of ${JSON.stringify(entries)}) {
    const required = Object.keys(require(entry)).sort().join();
    import(entry).then((imported) => {
      const names = Object.keys(imported).filter((name) => name !== 'module.exports').sort().join();
      if (names !== required || names === '') throw new Error(entry + ': import has ' + names + ', require has ' + required);
    });
  }
`;
for (const major of [20, 22, 26]) {
  execFileSync(nodeBinary(major), ['--disable-warning=ExperimentalWarning', '-e', SCRIPT], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  console.log(`Node ${major}: ${entries.length} entry points load, by import and by require`);
}

/** As jest loads them: CommonJS alone, and in its jsdom environment without what that lacks when modules load. */
const COMMON_JS = `
  // Node's own are made when they are first looked at, and need what is taken away here.
  void [globalThis.MessageEvent, globalThis.WebSocket, globalThis.CloseEvent];
  for (const name of ['TextEncoder', 'TextDecoder', 'setImmediate', 'MessageChannel', 'ReadableStream', 'WritableStream']) delete globalThis[name];
  for (const file of FILES) require(file);
`;
for (const condition of ['node', 'web']) {
  const files = ['index', 'server', 'polyfill', 'stream'].map((name) =>
    path.join(ROOT, 'dist', condition, `${name}.cjs`),
  );
  const args = ['--no-experimental-require-module', '-e', COMMON_JS.replace('FILES', JSON.stringify(files))];
  execFileSync(nodeBinary(24), args, { cwd: ROOT, stdio: 'inherit', timeout: 60_000 });
  console.log(`${condition}: ${files.length} CommonJS files load where no ES module can be required`);
}

/** Node's own WebSocket and its events take a fifth of a server's start, and megabytes, when they are first looked at: a server looks at none of them. */
const LEAVES_UNDICI = `
  (async () => {
    for (const file of FILES) {
      if (file.endsWith('.cjs')) require(file);
      else await import(file);
      if (process.moduleLoadList.some((name) => name.includes('undici'))) throw new Error(file + ': importing it loads undici');
    }
  })();
`;

/** Of entry points. */
function builtFiles(condition) {
  const folder = path.join(ROOT, 'dist', condition);
  const names = readdirSync(folder).filter(
    // `inspect` is imported for its effect.
    (name) => /^(?!chunk-|register\.|(native-)?inspect\.)[a-z-]+\.c?js$/.test(name) && !/-[A-Z0-9]{8}\./.test(name),
  );
  return names.map((name) => path.join(folder, name));
}

for (const major of [22, 24, 26]) {
  const files = builtFiles('node');
  const args = ['--no-warnings', '-e', LEAVES_UNDICI.replace('FILES', JSON.stringify(files))];
  execFileSync(nodeBinary(major), args, { cwd: ROOT, stdio: 'inherit', timeout: 60_000 });
  console.log(`Node ${major}: importing ${files.length} files of entry points leaves undici where it is`);
}

for (const condition of ['node', 'web']) {
  const files = builtFiles(condition);
  const args = ['--no-warnings', '-e', NO_EFFECTS.replace('FILES', JSON.stringify(files))];
  execFileSync(nodeBinary(24), args, { cwd: ROOT, stdio: 'inherit', timeout: 60_000 });
  console.log(`${condition}: importing ${files.length} files of entry points has no side effect`);
}
