/** The backend that answers in the caller's turn, always; for test helpers, which need that more than they need speed. */
export { nobleBackend as synchronousBackend } from '../crypto/noble/backend.ts';
