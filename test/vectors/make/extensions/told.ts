/** What the stories of the extensions begin with, and the list that they are told into. */
import { utf8, type Delivered } from '../bytes.ts';

import { KEMS, type KemName } from '../kems.ts';
import { K, Story, type Setup, type Exchange } from '../story.ts';

export const stories: Story[] = [];
export const tell = (story: Story): Story => {
  stories.push(story);
  return story;
};
export const text = (value: string): Delivered[] => [{ text: value }];
export const KEM_NAMES = Object.keys(KEMS) as KemName[];
/** The server's own order where nothing is set. */
export const ALL: KemName[] = ['mlkem768-x25519', 'ml-kem-1024', 'ml-kem-768'];

export const bothSay = (story: Story, word: string): Story =>
  story
    .receive(story.peer(K.text, utf8(word)), { delivers: text(word) })
    .step({ send: { text: word } }, { sends: [story.own(K.text, utf8(word))] });

/** An open connection with `exchange`, at either end. */
export function opened(
  to: 'client' | 'server',
  id: string,
  setup: Setup = {},
  more: { features?: string[]; peer?: (story: Story) => string; identity?: boolean; kem?: KemName } = {},
): Story {
  const features = ['exchange', ...(more.identity ? ['client_identity'] : []), ...(more.features ?? [])];
  const story = tell(
    new Story(`opening.${id.replace(/[^a-z0-9]+/g, '-')}.${to}`, `an open connection: ${id}`, 'opening', ['22'], to, {
      exchange: true,
      ...setup,
      ...(more.kem ? { kems: [more.kem] } : {}),
    }),
  );
  const kems = more.kem ? { kems: [more.kem] } : {};
  story.hellos({ features, ...kems }, { features, ...kems });
  return story.finished(more.peer?.(story), more.identity ?? false);
}

/** One whole exchange at a client that is told to. */
export function clientExchange(story: Story, during: { finished?: string; last?: string } = {}): Exchange {
  const made = story.exchange();
  story.step({ exchange: true }, { sends: [story.own(K.offer, made.offer)] });
  return clientAnswered(story, made, during);
}
export function clientAnswered(
  story: Story,
  made: Exchange,
  during: { finished?: string; last?: string } = {},
): Exchange {
  story.receive(story.peer(K.exchangeAnswer, made.answer));
  story.enter('server', made);
  const finished = story.peer(K.finished, utf8(during.finished ?? '{}'));
  const end = story.own(K.end);
  story.enter('client', made);
  story.receive(finished, {
    sends: [end, story.own(K.finished, utf8(during.last ?? '{}'))],
    exchanged: made.generation,
  });
  return made;
}
export function serverOffered(story: Story, finished?: string): Exchange {
  const made = story.exchange();
  const offer = story.peer(K.offer, made.offer);
  const answer = story.own(K.exchangeAnswer, made.answer);
  story.enter('server', made);
  story.receive(offer, { sends: [answer, story.own(K.finished, utf8(finished ?? '{}'))] });
  return made;
}
export function serverExchange(story: Story, during: { finished?: string; last?: string } = {}): Exchange {
  const made = serverOffered(story, during.finished);
  story.receive(story.peer(K.end));
  story.enter('client', made);
  story.receive(story.peer(K.finished, utf8(during.last ?? '{}')), { exchanged: made.generation });
  return made;
}
