/**
 * Mistakes that no message shows. A reviewer looks for them by hand: this is the checklist, of ten at the most. Those that are
 * rules of rules.ts are run all the same, so that one that a new vector kills leaves the list.
 */
export const SURVIVORS: Readonly<Record<string, string>> = {
  'randomness-key-pair': 'A key pair that is used for more than one connection, or that a weak generator made.',
  'randomness-encapsulation': 'Encapsulation randomness that is not fresh.',
  'randomness-nonce': 'Nonces that repeat under a key: a counter that starts again, a shared buffer.',
  'secrets-kept':
    "Decapsulation keys, ss, root, old keys or a session's keys that are not destroyed when the text says so.",
  'limits-own':
    'The numbers themselves: 2^20 - 1 and 2^24 records, 2^36 bytes, 65,536 frames of yellowpages. The cases inject lower ones.',
  'timers-drained':
    "The 30 s and the exchange's 60 s count from when the transport's buffer has drained; a frozen page or a sleeping machine is not a dead peer.",
  'pending-evicted': 'With too many pending sockets the oldest is closed with 1013, not the newcomer.',
  'transport-first': "The transport's own limits stand above the frame limit, and its compression is off.",
};
