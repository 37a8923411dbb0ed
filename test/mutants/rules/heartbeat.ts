/** Mistakes about heartbeat: PROTOCOL.md 24. */
import { PEER, type Mutant, of } from './mutant.ts';

export const HEARTBEAT: readonly Mutant[] = [
  ...of('24', [
    [
      'long-ping',
      'a ping of any length is answered',
      PEER,
      ' || content.length > 125) throw new Failure(3772);',
      ') throw new Failure(3772);',
    ],
    [
      'empty-pong',
      'a pong is empty',
      PEER,
      '      this.#seal(Kind.PONG, content);',
      '      this.#seal(Kind.PONG, new Uint8Array(0));',
    ],
    [
      'pong-unasked',
      'a pong that nobody asked for is a violation',
      PEER,
      '    if (at >= 0) this.#out.answered',
      '    if (at < 0) throw new Failure(3772);\n    if (at >= 0) this.#out.answered',
    ],
    [
      'pong-any',
      'any pong answers',
      PEER,
      'const at = this.#pings.findIndex((ping) => same(ping, content));',
      'const at = this.#pings.length > 0 ? 0 : -1;',
    ],
    [
      'pongs-after-close',
      "a ping is answered after one's own close",
      PEER,
      "    if (this.#state !== 'open') return;\n    if (kind === Kind.PING) {",
      '    if (kind === Kind.PING) {',
    ],
    [
      'pong-pings',
      'a pong is answered too',
      PEER,
      '    if (kind === Kind.PING) {\n      this.#seal',
      '    if (kind === Kind.PING || kind === Kind.PONG) {\n      this.#seal',
    ],
    [
      'only-pongs-count',
      'only a pong shows that the peer is there',
      PEER,
      '    const { kind, content } = this.#open(message);\n    this.#opened();',
      '    const { kind, content } = this.#open(message);\n    if (kind === Kind.PONG) this.#opened();',
    ],
    [
      'never-gives-up',
      'a peer that is gone is never given up',
      PEER,
      "      this.#timers.set('pong', this.#now + timeout);",
      '      void timeout;',
    ],
    [
      'closing-pings',
      'the heartbeat goes on after a close',
      PEER,
      "    this.#timers.delete('interval');\n    this.#timers.delete('pong');\n    this.#again",
      '    this.#again',
    ],
  ]),
];
