/**
 * TypeScript programs by the dozen in one process. They share what they parse: the declarations of the language, of Node and
 * of our packages are the greater part of each program, and a process for each would read them and warm up again.
 */
import path from 'node:path';
import ts from 'typescript';

export interface Compilers {
  /** What `tsc -p` finds in a folder, as it prints it; nothing when all is well. */
  check(folder: string): string;
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
    check(folder) {
      const diagnostics: ts.Diagnostic[] = [];
      const project = ts.getParsedCommandLineOfConfigFile(path.join(folder, 'tsconfig.json'), undefined, {
        ...ts.sys,
        onUnRecoverableConfigFileDiagnostic: (diagnostic) => diagnostics.push(diagnostic),
      });
      if (project !== undefined) {
        const { options, fileNames: rootNames, errors: configFileParsingDiagnostics } = project;
        const program = ts.createProgram({ rootNames, options, configFileParsingDiagnostics, host: host(options) });
        diagnostics.push(...ts.getPreEmitDiagnostics(program));
      }
      return ts.formatDiagnostics(diagnostics, {
        getCurrentDirectory: () => folder,
        getCanonicalFileName: (file) => file,
        getNewLine: () => '\n',
      });
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
