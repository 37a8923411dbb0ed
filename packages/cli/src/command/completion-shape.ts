/** A command as completion sees it, whatever the shell. */

/** What may follow. `files`: names of files; `words`: one of these; `nothing`: something that cannot be guessed. */
export type Value =
  | { readonly kind: 'files' }
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'nothing' };

export interface FlagShape {
  readonly names: readonly string[];
  readonly help: string;
  /** Undefined for a flag alone. */
  readonly value: Value | undefined;
}

export interface CommandShape {
  readonly name: string;
  readonly help: string;
  readonly flags: readonly FlagShape[];
  readonly argument: Value;
}
