/** `#read-client` on Node, where all of the code is there: what is wrong is thrown by the constructor. */
import { wholeClient } from './client-checks.ts';

export { wholeClient as readClient };
