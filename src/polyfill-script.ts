/**
 * The script tag: installs the polyfill with the options that the tag's attributes give, and fails closed. In a
 * worker, where no tag is, importScripts and import get the defaults.
 */
import { close, reopen } from './platform/script/closed.ts';
import { observer } from '#observer';
import type { MaybePromise } from './base/maybe-promise.ts';
import { loadAhead, scriptPart } from './platform/script/parts.ts';
import { own } from './platform/script/scope.ts';
import type { Watch } from './connection/observe.ts';
import { watchLater } from './connection/watch-later.ts';
import { readAttributes } from './options/attributes-tag.ts';
import { installPolyfill } from './dom/polyfill-install.ts';

try {
  if (own instanceof Error) throw own;
  const {
    options: { inspect, ...options },
    identity,
  } = readAttributes(own.attributes);
  if (inspect) watchLater(observer, () => scriptPart('inspect') as MaybePromise<Watch>);
  reopen();
  installPolyfill(options, identity);
  loadAhead();
} catch (error) {
  const { message } = error as Error;
  close(message);
  // eslint-disable-next-line no-console -- the page's author has no other way to see it
  console.error(message);
}
