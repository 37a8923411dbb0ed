/** What the builds for browsers shorten is nobody else's. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { MANGLED } from '../../scripts/lib/mangled.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

function sources(folder: string, prefix = ''): string[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && name.startsWith(prefix))
    .map((name) => readFileSync(path.join(ROOT, folder, name), 'utf8').replaceAll(/\/\*[^]*?\*\//g, ''));
}

test('no member of a public type', () => {
  const text = [...sources('src/api'), ...publicSources()].join('\n');
  expect(text).toMatch(/\binterface PQChannel\b/);
  const names = new Set(text.match(/[A-Za-z_$][\w$]*/g));
  expect(MANGLED.filter((name) => names.has(name) && isMember(name, text))).toEqual([]);
});

test('none that the sources no longer say', () => {
  const said = new Set(sources('src').flatMap((text) => text.match(/[A-Za-z_$][\w$]*/g) ?? []));
  expect(MANGLED.filter((name) => !said.has(name))).toEqual([]);
});

test('no member of a platform object: wherever one is named, it is declared in src', () => {
  const { foreign, seen } = lookUp(new Set(MANGLED));
  expect(foreign).toEqual([]);
  expect(seen).toBeGreaterThan(1000);
  // What is asked finds those that are none of ours.
  const platforms = lookUp(new Set(['byteLength', 'readyState', 'subtle']));
  expect(new Set(platforms.foreign.map((found) => found.replace(/ .*/, '')))).toEqual(
    new Set(['byteLength', 'readyState', 'subtle']),
  );
});

/** Of the places in `src` that say a member by one of these names: those where the compiler does not find it declared in `src` alone. */
function lookUp(names: ReadonlySet<string>): { readonly foreign: readonly string[]; readonly seen: number } {
  const { program, checker, ours } = (compiled ??= compile());
  const foreign: string[] = [];
  let seen = 0;
  const isOurs = (symbol: ts.Symbol | undefined): boolean =>
    symbol?.declarations?.every((declaration) => ours.has(declaration.getSourceFile())) === true;
  const note = (name: ts.Node, symbol: ts.Symbol | undefined): void => {
    seen += 1;
    const file = name.getSourceFile();
    if (!isOurs(symbol))
      foreign.push(
        `${name.getText()} ${path.relative(ROOT, file.fileName)}:${file.getLineAndCharacterOfPosition(name.pos).line + 1}`,
      );
  };
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node) && names.has(node.name.text)) {
      note(node.name, checker.getSymbolAtLocation(node.name));
    } else if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent)) {
      const name = node.propertyName ?? node.name;
      if (ts.isIdentifier(name) && names.has(name.text) && node.dotDotDotToken === undefined) {
        // A pattern within another has no type of its own.
        const [type] = [node.parent, node.parent.parent]
          .map((pattern) => checker.getTypeAtLocation(pattern))
          .filter((found) => found.getProperty(name.text) !== undefined);
        note(name, type?.getProperty(name.text));
      }
    } else if (
      ts.isObjectLiteralElementLike(node) &&
      node.name !== undefined &&
      ts.isIdentifier(node.name) &&
      names.has(node.name.text)
    ) {
      // What takes the object says what its members are, where that is a type with such a member.
      const wanted = ts.isObjectLiteralExpression(node.parent)
        ? checker.getContextualType(node.parent)?.getProperty(node.name.text)
        : undefined;
      note(node.name, wanted ?? checker.getSymbolAtLocation(node.name));
    }
    node.forEachChild(visit);
  };
  for (const file of program.getSourceFiles()) if (ours.has(file)) visit(file);
  return { foreign, seen };
}

let compiled: ReturnType<typeof compile> | undefined;

function compile(): { program: ts.Program; checker: ts.TypeChecker; ours: ReadonlySet<ts.SourceFile> } {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(path.join(ROOT, 'tsconfig.json'), ts.sys.readFile).config,
    ts.sys,
    ROOT,
  );
  const src = path.join(ROOT, 'src');
  // What only Node runs is not built for browsers.
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const program = ts.createProgram(
    files.map((name) => path.join(src, name)),
    options,
  );
  const ours = new Set(
    program
      .getSourceFiles()
      .filter(({ fileName }) => fileName.startsWith(src + path.sep) && !fileName.includes('/crypto/node/')),
  );
  return { program, checker: program.getTypeChecker(), ours };
}

/** The entries, with the types that they declare, and the files of those that they export from elsewhere. */
function publicSources(): string[] {
  const read = (file: string): string =>
    readFileSync(path.join(ROOT, 'src', file), 'utf8').replaceAll(/\/\*[^]*?\*\//g, '');
  const entries = ['index', 'server', 'polyfill', 'stream', 'msw', 'ws-browser', 'keys', 'kit', 'login'].map((name) =>
    read(`${name}.ts`),
  );
  const elsewhere = entries.flatMap((text) =>
    [...text.matchAll(/^export type \{[^}]*\} from '\.\/(\S+)';$/gm)].map(([, file]) => read(file as string)),
  );
  return [...entries, ...elsewhere];
}

/** Comments name some, too. */
function isMember(name: string, text: string): boolean {
  return new RegExp(`^\\s*(readonly |get |set )?${name}\\??\\s*[:(<]`, 'm').test(text);
}

test('no export that import() is asked for: its name is not shortened', () => {
  const names = sources('src').flatMap((text) => [
    ...text.matchAll(/\(await import\([^)]*\)\)\.(\w+)|\{ (\w+) \}[^\n]*import\(/g),
  ]);
  expect(names.length).toBeGreaterThan(5);
  expect(names.map(([, a, b]) => a ?? b).filter((name) => MANGLED.includes(name ?? ''))).toEqual([]);
});

test('no export that a namespace is asked for, whose name is not shortened either', () => {
  const files = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const read = (file: string): string => readFileSync(path.join(ROOT, 'src', file), 'utf8');
  const reached = files.flatMap((file) =>
    [...read(file).matchAll(/^import \* as \w+ from '(\.[^']+)';$/gm)].map(([, to]) =>
      path.join(path.dirname(file), to as string),
    ),
  );
  const names = [...new Set(reached)].flatMap((file) =>
    [...read(file).matchAll(/^export (?:const|function|class) (\w+)/gm)].map(([, name]) => name as string),
  );
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((name) => MANGLED.includes(name))).toEqual([]);
});

test('no string of the sources, those that are types left out', () => {
  const { ours } = (compiled ??= compile());
  const strings = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) && !ts.isLiteralTypeNode(node.parent)) strings.add(node.text);
    node.forEachChild(visit);
  };
  for (const file of ours) visit(file);
  // Of a value, and of a type alone.
  expect([strings.has('ml-kem-768'), strings.has('destroyKeys')]).toEqual([true, false]);
  expect(MANGLED.filter((name) => strings.has(name))).toEqual([]);
});
