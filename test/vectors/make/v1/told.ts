/** What the stories of v1 begin with, and the list that they are told into. */
import { utf8, base64, type Side, type Delivered } from '../bytes.ts';
import { inner } from '../connection.ts';
import { keyPair, signBy, bound32, type KeyName } from '../keys.ts';
import { K, clientHelloOf, Story, type Setup } from '../story.ts';

export const SIDES = ['client', 'server'] as const;
export const HINTS = [1001, 1012, 1013, 1014, 3768, 3769, 3770, 3771, 3772, 3773];
export const stories: Story[] = [];
export const tell = (story: Story): Story => {
  stories.push(story);
  return story;
};
export const said = (value: string): Delivered[] => [{ text: value }];

/** Openings that most cases go on from. */
const openings = new Map<string, Story>();
export function opening(id: string, to: Side, make: (story: Story) => void, setup: Setup = {}): Story {
  const key = `opening.${id}.${to}`;
  const known = openings.get(key);
  if (known !== undefined) return known;
  const story = tell(new Story(key, `an opening: ${id}`, 'opening', ['3', '4'], to, setup));
  openings.set(key, story);
  make(story);
  return story;
}
export const open = (to: Side, setup?: Setup, id = 'open'): Story =>
  opening(id, to, (story) => story.hellos().finished(), setup);
export const greeted = (to: Side): Story => opening('hellos', to, (story) => story.hellos());
export const from = (base: Story, id: string, title: string, group: string, sections: string[]): Story =>
  tell(base.branch(`${group.replaceAll(' ', '-')}.${base.to}.${id}`, title, group, sections));
export const fresh = (
  to: Side,
  id: string,
  title: string,
  group: string,
  sections: string[],
  setup: Setup = {},
): Story => tell(new Story(`${group.replaceAll(' ', '-')}.${to}.${id}`, title, group, sections, to, setup));
/** Both ends still talk. */
export const goesOn = (story: Story, word = 'still here'): Story =>
  story
    .receive(story.peer(K.text, utf8(word)), { delivers: said(word) })
    .step({ send: { text: word } }, { sends: [story.own(K.text, utf8(word))] });

/** An end that has been started: a client has sent its hello. */
export function begin(story: Story): Story {
  return story.to === 'client'
    ? story.step({ start: true }, { sends: [{ text: clientHelloOf() }] })
    : story.step({ start: true });
}

export const hello = inner(utf8('hello'), K.text);
export const signature64 = (th: Uint8Array, by: KeyName, label = 'server identity'): string =>
  base64(signBy(by, bound32(label, th)));
export const signedContent = ({ th }: Story, by: KeyName, key?: KeyName): string =>
  `{"ml_dsa_65_signature":"${signature64(th, by)}"${key === undefined ? '' : `,"ml_dsa_65_public_key":"${base64(keyPair(key).publicKey)}"`}}`;
