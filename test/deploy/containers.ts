/**
 * Containers without an engine: what `docker run` and a compose file mount is laid out in a folder, by the rules by which an
 * engine mounts. It shows that files are where the configuration looks for them, and finds mounts that cannot be made. It does
 * not show that images build, or that networks connect.
 */
import { cpSync, existsSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';

export interface Mount {
  /** A file or folder of the host, or the name of a volume. */
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** `SOURCE:TARGET[:ro]` of `--volume`, and of a compose file. */
export function parseMount(text: string, folder: string): Mount {
  const [source = '', target = '', mode = 'rw'] = text.replaceAll('"', '').replace('$PWD', folder).split(':');
  if (source === '' || !path.posix.isAbsolute(target)) throw new Error(`${text}: no SOURCE:/TARGET`);
  const isFile = source.startsWith('.') || path.isAbsolute(source);
  return {
    source: isFile ? path.resolve(folder, source) : source,
    target: path.posix.normalize(target),
    readOnly: mode.split(',').includes('ro'),
  };
}

/** The arguments of each `docker COMMAND` in a text, comment signs and continued lines taken together. */
export function dockerCommands(text: string, command: string): string[][] {
  const joined = text.replaceAll(/^# ?/gm, '').replaceAll(/\\\n\s*/g, '');
  return [...joined.matchAll(new RegExp(`docker ${command} (.*)`, 'g'))].map(
    ([, line]) => (line as string).match(/(?:[^\s"]|"[^"]*")+/g) ?? [],
  );
}

/** The values of a flag that is given as `--flag VALUE` or `-f VALUE`. */
export function flagValues(args: readonly string[], ...names: readonly string[]): string[] {
  return args.filter((_, index) => names.includes(args[index - 1] ?? ''));
}

function isInside(inner: string, outer: string): boolean {
  return inner.startsWith(outer === '/' ? outer : `${outer}/`);
}

/**
 * Lays the mounts out below `root`, as an engine does: the shorter paths first, each over what is there.
 * @throws {Error} where a source is missing, a target is taken twice, or a mount point would have to be made in a read-only mount
 */
export function mountInto(root: string, mounts: readonly Mount[]): void {
  const depth = ({ target }: Mount): number => target.split('/').length;
  const done: Mount[] = [];
  for (const mount of [...mounts].sort((a, b) => depth(a) - depth(b))) {
    const { source, target } = mount;
    if (done.some((each) => each.target === target)) throw new Error(`${target} is mounted twice`);
    const isVolume = !path.isAbsolute(source);
    if (!isVolume && !existsSync(source))
      throw new Error(`${source} is not there: an engine makes an empty folder of it`);
    const around = done.filter((each) => isInside(target, each.target)).at(-1);
    const point = path.join(root, target);
    if (around?.readOnly === true && !existsSync(point)) {
      throw new Error(`${target} cannot be made in ${around.target}, which is mounted read-only`);
    }
    mkdirSync(isVolume || statSync(source).isDirectory() ? point : path.dirname(point), { recursive: true });
    if (!isVolume) cpSync(source, point, { recursive: true });
    done.push(mount);
  }
}
