/** Numbers of RFC 6455 and of the WebSocket interface that more than one file needs. */

/** `readyState` (WHATWG WebSockets 3). */
export const CONNECTING = 0;
export const OPEN = 1;
export const CLOSING = 2;
export const CLOSED = 3;
export type ReadyState = typeof CONNECTING | typeof OPEN | typeof CLOSING | typeof CLOSED;

/** 7.4.1: the purpose of the connection has been fulfilled. */
export const NORMAL_CLOSURE = 1000;
/** 7.1.5: stands for a close frame without a code. */
export const NO_STATUS = 1005;
/** 7.1.5: stands for a connection without a close frame, and only for that. */
export const ABNORMAL_CLOSURE = 1006;

/** 5.5: bytes of a control frame's payload, at most. */
export const MAX_CONTROL_BYTES = 125;
/** 5.2: bytes of the longest header of a frame, with its mask. */
export const LONGEST_HEADER_BYTES = 14;
