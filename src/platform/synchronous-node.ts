/** The backend that answers in the caller's turn, always; for test helpers, which need that more than they need speed. */
export { nodeBackend as synchronousBackend } from '../crypto/node/backend.ts';
