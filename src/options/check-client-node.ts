/** `#check-client` on Node, where all of the code is there: what is wrong is thrown by the constructor. */
export { checkClient } from './client-checks.ts';
