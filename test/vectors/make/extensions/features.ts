/** PROTOCOL.md 14: members of features, and grease. */
import { utf8, zeros } from '../bytes.ts';
import { inner } from '../connection.ts';
import { agreement } from '../kems.ts';
import { K, clientHelloOf, serverHelloOf, Story, type Setup } from '../story.ts';
import { tell } from './told.ts';

const FEATURES = {
  exchange: { setup: { exchange: true } as Setup, section: '22' },
  client_identity: { setup: { identity: 'client' } as Setup, section: '23' },
  heartbeat: { setup: { heartbeat: true } as Setup, section: '24' },
} as const;
const NEED: Record<keyof typeof FEATURES, string> = {
  exchange: 'exchange',
  client_identity: 'client identity',
  heartbeat: 'heartbeat',
};

export function featureCases(): void {
  for (const [member, { setup, section }] of Object.entries(FEATURES) as [
    keyof typeof FEATURES,
    (typeof FEATURES)['exchange'],
  ][]) {
    const sections = ['14', section];
    for (const [id, value] of [
      ['2', '2'],
      ['0', '0'],
      ['null', 'null'],
      ['false', 'false'],
      ['true', 'true'],
      ['string', '"1"'],
      ['array', '[1]'],
      ['huge', '1e400'],
    ] as const) {
      const hello = serverHelloOf({ extra: `"${member}":${value}` });
      tell(
        new Story(
          `feature.${member}.client.refuses.${id}`,
          `${member} answered with ${value}`,
          'feature',
          sections,
          'client',
          setup,
        ),
      )
        .step({ start: true }, { sends: [{ text: clientHelloOf({ features: [member] }) }] })
        .refuses({ text: hello }, 3768);
      const unasked = new Story(
        `feature.${member}.client.refuses.unasked-${id}`,
        `${member}: ${value}, though it was not offered`,
        'feature',
        sections,
        'client',
      );
      unasked.alsoNeeds.push(NEED[member]);
      tell(unasked)
        .step({ start: true }, { sends: [{ text: clientHelloOf() }] })
        .refuses({ text: hello }, 3768);
      if (member === 'client_identity') continue;
      const server = tell(
        new Story(
          `feature.${member}.server.not-offered.${id}`,
          `${member}: ${value} in ClientHello counts as not offered`,
          'feature',
          sections,
          'server',
          setup,
        ),
      );
      server.hellos({ extra: `"${member}":${value}` }, {}).finished();
      server.refuses(
        server.peer(
          member === 'exchange' ? K.offer : K.ping,
          member === 'exchange' ? agreement('ml-kem-768', 1).publicKey : zeros(0),
        ),
        3772,
      );
    }
    const unasked = new Story(
      `feature.${member}.client.refuses.unasked`,
      `${member} answered, though it was not offered`,
      'feature',
      sections,
      'client',
    );
    unasked.alsoNeeds.push(NEED[member]);
    tell(unasked)
      .step({ start: true }, { sends: [{ text: clientHelloOf() }] })
      .refuses({ text: serverHelloOf({ features: [member] }) }, 3768);
    for (const spelling of ['1.0', '1e0', '10E-1']) {
      const story = tell(
        new Story(
          `feature.${member}.client.spelled-${spelling}`,
          `${member} answered with ${spelling}`,
          'feature',
          sections,
          'client',
          setup,
        ),
      );
      story.hellos({ features: [member] }, { extra: `"${member}":${spelling}` }).finished('{}', true);
    }
    const stripped = tell(
      new Story(
        `feature.${member}.client.stripped`,
        `an attacker took ${member} out of ClientHello: the server's Finished is over another transcript`,
        'feature',
        ['14', '5'],
        'client',
        setup,
      ),
    );
    stripped.hellos({ features: [member] }, {});
    const server = new Story('', '', '', [], 'client').agree(clientHelloOf(), serverHelloOf());
    stripped.refuses(stripped.forged(inner(utf8('{}'), K.finished), { key: server.directions.server.key }), 3768);
    const off = tell(
      new Story(
        `feature.${member}.client.not-answered`,
        `${member} offered and not answered: off`,
        'feature',
        sections,
        'client',
        setup,
      ),
    );
    off.hellos({ features: [member] }, {}).finished('{}', false);
    if (member !== 'client_identity') off.refuses(off.peer(member === 'exchange' ? K.wanted : K.ping), 3772);
  }
  for (const kind of [K.wanted, K.offer, K.exchangeAnswer, K.end, K.ping, K.pong]) {
    for (const to of ['client', 'server'] as const) {
      const story = new Story(
        `feature.kind-${kind}.${to}.off`,
        `kind ${kind} without its feature, to the ${to}`,
        'feature',
        ['7.2', '14'],
        to,
      );
      tell(story).hellos().finished();
      story.refuses(story.peer(kind), 3772);
      const early = new Story(
        `feature.kind-${kind}.${to}.record-0`,
        `kind ${kind} in the place of Finished, to the ${to}`,
        'feature',
        ['7.2', '4.2'],
        to,
        { exchange: true, heartbeat: true },
      );
      tell(early).hellos({ features: ['exchange', 'heartbeat'] }, { features: ['exchange', 'heartbeat'] });
      early.refuses(early.peer(kind), 3768);
    }
  }
  for (const [id, value] of [
    ['string', '"x"'],
    ['deep', '[[[{"a":[]}]]]'],
    ['huge', '1e400'],
    ['null', 'null'],
  ] as const) {
    for (const to of ['client', 'server'] as const) {
      const extra = `"grease_q7":${value}`;
      tell(
        new Story(`grease.${to}.${id}`, `a grease member of value ${value}, to the ${to}`, 'grease', ['14', '18'], to),
      )
        .helloOfPeer({ extra })
        .finished();
    }
  }
}
