/**
 * The script tag: installs the polyfill with the options that the tag's attributes give, and fails closed. In a
 * worker, where no tag is, importScripts and import get the defaults.
 */
import { close, reopen } from './platform/script/closed.ts';
import { observer } from '#observer';
import type { MaybePromise } from './base/maybe-promise.ts';
import { attributeOf, readAttributes } from './platform/script/attributes.ts';
import { loadAhead, scriptPart } from './platform/script/parts.ts';
import { ownElement } from './platform/script/scope.ts';
import type { Watch } from './connection/observe.ts';
import { watchLater } from './connection/watch-later.ts';
import { part } from './platform/web-platform.ts';
import { installPolyfill, refuseAllSockets } from './dom/polyfill-install.ts';

const { attributes = {} } = ownElement instanceof Error ? {} : (ownElement ?? {});
try {
  reopen();
  if (ownElement instanceof Error) throw ownElement;
  const {
    options: { inspect, ...options },
    identity,
  } = readAttributes(attributes);
  if (inspect) watchLater(observer, part('inspect', () => scriptPart('inspect')) as () => MaybePromise<Watch>);
  installPolyfill(options, identity);
  loadAhead();
} catch (error) {
  // A value that is no option's is refused by the option's name, which the page's author has not written.
  const message = (error as Error).message.replace(
    /option '(\w+)'/,
    (_, name: string) => `attribute '${attributeOf(name, attributes)}'`,
  );
  try {
    refuseAllSockets(message);
  } catch {
    close();
  }
  // eslint-disable-next-line no-console -- the page's author has no other way to see it
  console.error(message);
}
