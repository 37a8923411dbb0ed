/** `#check-client` of the script tag, which has attributes for some options and no way to give another. */
export { checkTagged as checkClient } from './client-checks.ts';
