'use strict';
// Finds the compiled code: beside this file where somebody built it here (`npm run build:native`), or in the package of this platform.

const { version } = require('./package.json');

/** Why the code of a platform can not be loaded here; the causes stand in `errors`, one for each place that was looked at. */
class NativeNotFoundError extends AggregateError {
  constructor(errors, platforms) {
    super(errors, `pq-websocket-native ${version} has no code for ${platforms.join(' or ')}`);
    this.name = 'NativeNotFoundError';
    this.code = 'ERR_PQ_NATIVE_NOT_FOUND';
  }
}

/** The names of this platform, best first. On Linux npm installs the package of one C library alone, and the other's does not load. */
function platformNames() {
  const name = `${process.platform}-${process.arch}`;
  if (process.platform === 'linux') return [`${name}-gnu`, `${name}-musl`];
  if (process.platform === 'win32') return [`${name}-msvc`];
  return [name];
}

function load() {
  const errors = [];
  const platforms = platformNames();
  for (const platform of platforms) {
    for (const place of [`./pq-websocket-native.${platform}.node`, `pq-websocket-native-${platform}`]) {
      try {
        const native = require(place);
        if (native.version() === version) return native;
        errors.push(new Error(`${place}: expected version ${version}, got ${native.version()}`));
      } catch (error) {
        errors.push(error);
      }
    }
  }
  throw new NativeNotFoundError(errors, platforms);
}

module.exports = load();
