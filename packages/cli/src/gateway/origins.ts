/** Origins that may connect: `https://example.com`, `https://*.example.com`, and those of app shells, `capacitor://localhost`. */

/** Scheme, `*.` for any names in front, and what is behind: host and port. */
const ORIGIN = /^([a-z][a-z\d+.-]*):\/\/(\*\.)?([^/?#@*\s]+)$/;

/** Whether it is one, as a browser writes it: compared as text, one in capitals or with a default port would match nobody. */
export function isOriginPattern(text: string): boolean {
  const [, scheme, wildcard, host] = ORIGIN.exec(text) ?? [];
  if (text === 'null') return true;
  if (scheme === undefined || host === undefined) return false;
  const url = `${scheme}://${host}`;
  // The URL standard gives other schemes no origin: app shells send them as text.
  if (!['http', 'https'].includes(scheme)) return wildcard === undefined || URL.canParse(url);
  return URL.canParse(url) && new URL(url).origin === url;
}

/** @param patterns such as `isOriginPattern` accepts */
export function originMatcher(patterns: readonly string[]): (origin: string | undefined) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')));
  const wild = patterns
    .filter((pattern) => pattern.includes('*'))
    .map((pattern) => pattern.split('*') as [start: string, end: string]);
  return (origin = '') =>
    exact.has(origin) ||
    wild.some(([start, end]) => {
      const names = origin.slice(start.length, -end.length);
      return origin.startsWith(start) && origin.endsWith(end) && /^[\w-]+(?:\.[\w-]+)*$/.test(names);
    });
}
