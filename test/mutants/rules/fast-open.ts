/** Mistakes about fast open: PROTOCOL.md 13. */
import { PEER, TEXT, HELLOS, type Mutant, of } from './mutant.ts';

export const FAST_OPEN: readonly Mutant[] = [
  ...of('13', [
    [
      'any-hello',
      'the repeated hello is not compared',
      PEER,
      "if (typeof message !== 'string' || message !== this.#clientHello) throw new Failure(3768);",
      "if (typeof message !== 'string') throw new Failure(3768);",
    ],
    [
      'same-key',
      'the repeated hello must only have the same key',
      PEER,
      "if (typeof message !== 'string' || message !== this.#clientHello) throw new Failure(3768);",
      "if (typeof message !== 'string' || readClientHello(message, this.#setup.kems).key.join() !== readClientHello(this.#clientHello, this.#setup.kems).key.join()) throw new Failure(3768);",
    ],
    [
      'no-repeat',
      'Finished(client) may come without the repeated hello',
      PEER,
      "      case 'awaiting repeated hello':\n      case 'closing unrepeated':",
      "      case 'awaiting repeated hello':\n        if (typeof message !== 'string') {\n          this.#takeFinished(message);\n          return;\n        }\n        if (message !== this.#clientHello) throw new Failure(3768);\n        this.#state = 'awaiting Finished';\n        return;\n      case 'closing unrepeated':",
    ],
    [
      'lax-token',
      "the token's base64url is not compared",
      TEXT,
      "return Buffer.from(bytes).toString('base64url') === value ? bytes : undefined;",
      'return bytes;',
    ],
    ['first-token', 'the first of several tokens is taken', HELLOS, ' || tokens.length !== 1', ''],
    [
      'no-marker',
      'pqws1 need not stand beside the token',
      HELLOS,
      " || subprotocols.filter((name) => name === 'pqws1').length !== 1)",
      ')',
    ],
    [
      'capitals',
      'tokens are looked for in any case',
      HELLOS,
      "subprotocols.filter((name) => name.startsWith('pqws1.'));",
      "subprotocols.filter((name) => name.toLowerCase().startsWith('pqws1.'));\n  subprotocols = subprotocols.map((name) => (name.length === 5 ? name.toLowerCase() : name));",
    ],
    [
      'bad-token-fatal',
      'a token whose hello is refused is fatal',
      PEER,
      "      if (!(error instanceof Failure)) throw error;\n      this.#state = 'awaiting client hello';",
      '      if (!(error instanceof Failure)) throw error;\n      this.#fail(error.code);',
    ],
  ]),
];
