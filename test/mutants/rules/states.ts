/** Mistakes about states and failures: PROTOCOL.md 3, 10. */
import { PEER, RECORDS, type Mutant, of } from './mutant.ts';

export const STATES: readonly Mutant[] = [
  ...of('3', [
    [
      'verifying-delivers',
      'messages are handled while the client verifies',
      PEER,
      "      this.#state === 'verifying' ||\n      this.#state === 'signing' ||",
      "      this.#state === 'signing' ||",
    ],
    [
      'verifying-drops',
      'what waited for the verification is dropped',
      PEER,
      '    for (const message of waiting) this.receive(message);',
      '    void waiting;',
    ],
    [
      'verifying-survives-close',
      'a transport that closes while the client verifies is not the end',
      PEER,
      '    const hint = HINTS.includes(code)',
      "    if (this.#state === 'verifying') return;\n    const hint = HINTS.includes(code)",
    ],
    [
      'replying-ignores',
      'a message while the server makes its reply is ignored',
      PEER,
      '      default:\n        throw new Failure(3768);\n    }\n  }\n\n  #takeServerHello',
      '      default:\n        return;\n    }\n  }\n\n  #takeServerHello',
    ],
    [
      'close-sent-deaf',
      "nothing is opened after one's own close",
      PEER,
      "      case 'open':\n      case 'close sent':\n        this.#takeRecord(message);\n        return;",
      "      case 'close sent':\n        if (typeof message !== 'string' && message.length > 45) this.#takeRecord(message);\n        return;\n      case 'open':\n        this.#takeRecord(message);\n        return;",
    ],
    [
      'close-sent-delivers',
      "messages are delivered after one's own close",
      PEER,
      "    if (this.#state === 'open') this.#out.delivers.push(...messages);",
      '    this.#out.delivers.push(...messages);',
    ],
    [
      'close-sent-sends',
      "messages are sent after one's own close",
      PEER,
      '    if (this.#closed || this.#over) return;\n    const [kind, content]',
      '    if (this.#over) return;\n    const [kind, content]',
      [
        [
          '    if (this.#maySend) this.#seal(kind, content);',
          '    if (this.#maySend || this.#closed) this.#seal(kind, content);',
        ],
      ],
    ],
    [
      'sealed-close-before-open',
      'a close before open waits instead of closing the transport',
      PEER,
      "      this.#out.closes = 'no code';\n      this.#end('failed', { code: 1006, reason: '', wasClean: false });\n      return;",
      '      return;',
    ],
    [
      'unconfirmed-accepts-answer',
      'in closing unconfirmed an answer does for Finished(client)',
      PEER,
      '      if (kind !== Kind.FINISHED) throw new Failure(3768);',
      "      if (kind === Kind.ANSWER && this.#state === 'closing unconfirmed') {\n        this.#takeAnswer(content);\n        return;\n      }\n      if (kind !== Kind.FINISHED) throw new Failure(3768);",
    ],
  ]),
  ...of('10', [
    [
      'delivers-after',
      'what arrives after a failure is still delivered',
      PEER,
      "    this.#out.fails = code;\n    this.#end('failed', { code, reason: '', wasClean: false });",
      "    this.#out.fails = code;\n    this.#outcome ??= { code, reason: '', wasClean: false };",
    ],
    [
      'closes-after',
      'a failure sends a sealed close',
      PEER,
      '    this.#out.fails = code;\n',
      "    this.#out.fails = code;\n    if (this.#state === 'open') this.#seal(Kind.CLOSE, closeContent({ code: 1002, reason: '' }));\n",
    ],
    [
      'flushes-after',
      'what was queued is sent when it fails',
      PEER,
      '    this.#out.fails = code;\n',
      '    this.#out.fails = code;\n    if (this.#own !== undefined) for (const { kind, content } of this.#pending.splice(0)) this.#seal(kind, content);\n',
    ],
    [
      'phase-early',
      'codes of open before Finished is accepted',
      PEER,
      'throw new Failure(error.code === 3770 ? 3770 : 3768);',
      'throw error;',
    ],
    [
      'phase-authentication',
      'a refused signature is 3768',
      PEER,
      'throw new Failure(error.code === 3770 ? 3770 : 3768);',
      'throw new Failure(3768);',
    ],
    [
      'no-open-is-violation',
      'a frame that does not open is 3772',
      RECORDS,
      '  if (inner === undefined) throw new Failure(3771);',
      '  if (inner === undefined) throw new Failure(3772);',
    ],
    [
      'exports-after',
      'keys outlive a failure',
      PEER,
      "|| this.#state === 'failed' || this.#state === 'ended')\n      throw",
      ')\n      throw',
      [
        [
          "(this.role === 'server' || this.#state === 'open'",
          "(this.role === 'server' || this.#state === 'failed' || this.#state === 'open'",
        ],
        ['    this.#exporter = undefined;\n  }', '  }'],
      ],
    ],
    [
      'verify-after',
      'a verification that ends after the failure opens the connection',
      PEER,
      'if (resume === undefined || this.#over) return;',
      'if (resume === undefined) return;',
      [['    this.#resume = undefined;\n    this.#own = undefined;', '    this.#own = undefined;']],
    ],
  ]),
];
