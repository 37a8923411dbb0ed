/** What waits to be sealed is copied to memory of its own. */
export { copyOf as copyShort } from './bytes.ts';
