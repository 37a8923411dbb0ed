/**
 * TypeScript programs by the dozen in one process. They share what they parse: the declarations of the language, of Node and
 * of our packages are the greater part of each program, and a process for each would read them and warm up again.
 */
import path from 'node:path';
import ts from 'typescript';

export interface Checked {
  /** What `tsc -p` prints; nothing when all is well. */
  readonly found: string;
  /** For whoever asks on: it has the types of everything by now. Undefined where tsconfig.json cannot be read. */
  readonly program: ts.Program | undefined;
}

export interface Compilers {
  /** What `tsc -p` does of a folder. @param from the folder that paths are told from, this one unless given */
  check(folder: string, from?: string): Checked;
  /** A host that reads a file otherwise than it is on the disk. Absolute paths. */
  host(options: ts.CompilerOptions, changed?: { readonly file: string; readonly text: string }): ts.CompilerHost;
}

/** Files must not change while it is in use. */
export function shareCompilers(): Compilers {
  const parsed = new Map<string, ts.SourceFile | undefined>();

  const host: Compilers['host'] = (options, changed) => {
    const disk = ts.createCompilerHost(options);
    return {
      ...disk,
      getSourceFile(file, how, ...rest) {
        if (file === changed?.file) return ts.createSourceFile(file, changed.text, how);
        const key = [file, ...readingOf(file, how, options)].join('\0');
        if (!parsed.has(key)) parsed.set(key, disk.getSourceFile(file, how, ...rest));
        return parsed.get(key);
      },
    };
  };

  return {
    host,
    check(folder, from = folder) {
      const diagnostics: ts.Diagnostic[] = [];
      const project = ts.getParsedCommandLineOfConfigFile(path.join(folder, 'tsconfig.json'), undefined, {
        ...ts.sys,
        onUnRecoverableConfigFileDiagnostic: (diagnostic) => diagnostics.push(diagnostic),
      });
      let program: ts.Program | undefined;
      if (project !== undefined) {
        const { options, fileNames: rootNames, errors: configFileParsingDiagnostics } = project;
        program = ts.createProgram({ rootNames, options, configFileParsingDiagnostics, host: host(options) });
        diagnostics.push(...ts.getPreEmitDiagnostics(program));
      }
      const found = ts.formatDiagnostics(diagnostics, {
        getCurrentDirectory: () => from,
        getCanonicalFileName: (file) => file,
        getNewLine: () => '\n',
      });
      return { found, program };
    },
  };
}

/**
 * What a parsed file depends on beside its text. A declaration file has no code: what the options say of modules, JSX and
 * strictness changes nothing in it, except whether Node takes it for an ES module, which the compiler says in `how`.
 */
function readingOf(
  file: string,
  how: ts.ScriptTarget | ts.CreateSourceFileOptions,
  options: ts.CompilerOptions,
): unknown[] {
  const { languageVersion, impliedNodeFormat, jsDocParsingMode } =
    typeof how === 'object' ? how : { languageVersion: how, impliedNodeFormat: undefined, jsDocParsingMode: undefined };
  const reading = [languageVersion, impliedNodeFormat, jsDocParsingMode];
  return /\.d\.([^./]+\.)?[cm]?ts$/.test(file) ? reading : [...reading, JSON.stringify(options)];
}
