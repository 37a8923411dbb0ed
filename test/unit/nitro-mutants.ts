/** The verifier with one check, or one part of one, taken out. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import ts from 'typescript';
import type * as Testing from '../../packages/nitro/src/testing.ts';

const SOURCE = path.resolve(import.meta.dirname, '../../packages/nitro/src');
/** The files that check documents. `options.ts` checks the application's options: nitro-options.test.ts. */
const FILES = ['cbor', 'cose', 'payload', 'certificate', 'chain', 'es384', 'verify'].map((name) => `nitro/${name}.ts`);

export interface Mutant {
  readonly file: string;
  readonly line: number;
  /** What was put in place of what. */
  readonly change: string;
  /** The codes that the function around it throws. */
  readonly codes: readonly string[];
  readonly source: string;
}

/**
 * Every throw taken out, every operand of `||` made false and of `&&` made true, every boolean in an object turned.
 * What they have in common is that the verifier looks at less than before.
 */
export function mutants(): Mutant[] {
  return FILES.flatMap((file) => mutantsOf(file, readFileSync(path.join(SOURCE, file), 'utf8')));
}

function mutantsOf(file: string, source: string): Mutant[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.ES2022, true);
  const found: Mutant[] = [];
  const put = (node: ts.Node, text: string): void => {
    const start = node.getStart(tree);
    const around = enclosingFunction(node).getText(tree);
    found.push({
      file,
      line: tree.getLineAndCharacterOfPosition(start).line + 1,
      change: `${node.getText(tree).replace(/\s+/g, ' ')} -> ${text}`,
      codes: [...around.matchAll(/NITRO_ERR_\w+/g)].map(([code]) => code),
      source: source.slice(0, start) + text + source.slice(node.end),
    });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isThrowStatement(node)) put(node, ';');
    if (ts.isBinaryExpression(node)) {
      const { kind } = node.operatorToken;
      const neutral =
        kind === ts.SyntaxKind.BarBarToken
          ? 'false'
          : kind === ts.SyntaxKind.AmpersandAmpersandToken
            ? 'true'
            : undefined;
      for (const operand of [node.left, node.right]) {
        if (neutral !== undefined && !isChainOf(kind, operand)) put(operand, neutral);
      }
    }
    if (ts.isPropertyAssignment(node) && node.initializer.kind === ts.SyntaxKind.TrueKeyword)
      put(node.initializer, 'false');
    if (ts.isPropertyAssignment(node) && node.initializer.kind === ts.SyntaxKind.FalseKeyword)
      put(node.initializer, 'true');
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

/** In `a || b || c` the operands are a, b and c, not `a || b`. */
function isChainOf(kind: ts.SyntaxKind, node: ts.Node): boolean {
  return ts.isBinaryExpression(node) && node.operatorToken.kind === kind;
}

function enclosingFunction(node: ts.Node): ts.Node {
  let at = node;
  while (!ts.isSourceFile(at) && !ts.isFunctionDeclaration(at) && !ts.isMethodDeclaration(at)) at = at.parent;
  return at;
}

const ES384 = 'nitro/es384.ts';
const VERIFIER = 'export function verifyEs384(';

/** The file of the signatures, judged by node:crypto: it takes a fifth of the time, and nitro-es384.test.ts shows that the two agree. */
function nativeEs384(): string {
  const portable = readFileSync(path.join(SOURCE, ES384), 'utf8');
  if (!portable.includes(VERIFIER)) throw new Error(`${ES384} has no such function: ${VERIFIER}`);
  return `import { createPublicKey, verify } from 'node:crypto';
${portable.replace(VERIFIER, 'export function portableVerifyEs384(')}
${VERIFIER}publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array, format: SignatureFormat): boolean {
  const [x, y] = [publicKey.subarray(1, 49), publicKey.subarray(49)].map((part) => Buffer.from(part).toString('base64url'));
  const key = createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-384', x, y } });
  return verify('sha384', message, { key, dsaEncoding: format === 'der' ? 'der' : 'ieee-p1363' }, signature);
}`;
}

/** Bundles `pq-websocket-nitro/testing` with a mutant's file in place of the real one. */
export async function load(mutant: Pick<Mutant, 'file' | 'source'> | undefined): Promise<typeof Testing> {
  const result = await build({
    entryPoints: [path.join(SOURCE, 'testing.ts')],
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['import'],
    // From the source: `npm run check` builds nothing.
    alias: { 'pq-websocket/kit': path.resolve(SOURCE, '../../../src/kit.ts') },
    external: ['node:crypto'],
    write: false,
    logLevel: 'error',
    plugins: [
      {
        name: 'mutant',
        setup(plugin) {
          plugin.onLoad({ filter: /\.ts$/ }, ({ path: loaded }) => {
            if (mutant === undefined) return undefined;
            if (loaded === path.join(SOURCE, mutant.file)) return { contents: mutant.source, loader: 'ts' };
            if (loaded === path.join(SOURCE, ES384)) return { contents: nativeEs384(), loader: 'ts' };
            return undefined;
          });
        },
      },
    ],
  });
  const code = Buffer.from((result.outputFiles[0] as { contents: Uint8Array }).contents).toString('base64');
  return (await import(/* @vite-ignore */ `data:text/javascript;base64,${code}`)) as typeof Testing;
}
