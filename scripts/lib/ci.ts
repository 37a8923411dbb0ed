/** Whether this is continuous integration, where what is missing is a failure: `CI` is set, and not to `false` or `0`. */
export function isCi(): boolean {
  return !['', '0', 'false'].includes(process.env['CI'] ?? '');
}
