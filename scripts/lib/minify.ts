import type { MinifyOptions } from 'terser';
import { minify } from 'terser';

/**
 * How what browsers load is minified. Whatever is observable stays: no property is renamed, nothing is taken for free of
 * effects that is not marked so, and the classes set their own names.
 */
export const MINIFY: MinifyOptions = {
  ecma: 2020,
  module: true,
  compress: { passes: 3, ecma: 2020 },
  format: { comments: false },
};

/**
 * @param map of `code`, JSON; the result's is of the same sources
 * @param module whether the code is a module, and no classic script
 */
export async function minified(
  code: string,
  map: string,
  name: string,
  module: boolean,
): Promise<{ readonly code: string; readonly map: string }> {
  const result = await minify(code, {
    ...MINIFY,
    module,
    // No comment that points to it: it stays in the repository.
    sourceMap: { content: map, filename: name, includeSources: true },
  });
  if (result.code === undefined || typeof result.map !== 'string') throw new Error(`terser made nothing of ${name}`);
  return { code: result.code, map: result.map };
}
