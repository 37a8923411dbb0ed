/** Plain JavaScript: this must still load in the Node versions that it turns away. */

/** The first Node 22 that runs TypeScript files as they stand, which the scripts and vitest's config rely on. */
const MINIMUM = [22, 18];

/** Ends the process with an explanation when this Node is too old for the development tools. */
export function requireDevelopmentNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1])) return;
  console.error(
    [
      `This is Node ${process.version}; the development tools need Node ${MINIMUM.join('.')} or newer.`,
      'After `npm ci`, npm scripts run in the Node of the devDependency `node`: start this as `npm test`,',
      'or put node_modules/.bin first on PATH.',
      'If `npm test` itself says this, the install script of the package `node` did not run:',
      'allow it (`npm install-scripts approve node`) and run `npm ci` again.',
    ].join('\n'),
  );
  process.exit(1);
}
