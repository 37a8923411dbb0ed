/**
 * npm `ws` takes pq-websocket-native for `bufferutil`, as with the override in package.json that packages/native/README.md has: this
 * repository's own package.json is not the place for that. Loaded before anything else.
 */
const Module = require('node:module');

const resolve = Module._resolveFilename;
Module._resolveFilename = function resolveFilename(name, ...rest) {
  return resolve.call(this, name === 'bufferutil' ? 'pq-websocket-native' : name, ...rest);
};
