/** A bar chart as SVG: groups of horizontal bars, a label and a figure each. */
import { figure } from './table.ts';

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** The smallest and the largest of the rounds, in the unit of `value`. */
  readonly min: number;
  readonly max: number;
}

export interface BarGroup {
  readonly title: string;
  readonly bars: readonly Bar[];
}

export interface BarChart {
  readonly title: string;
  readonly subtitle: string;
  /** Written below: where and when the figures were measured. */
  readonly footer: readonly string[];
  readonly groups: readonly BarGroup[];
  /** A line through all bars, such as the 1 of what they are compared with. */
  readonly reference?: number;
}

const WIDTH = 860;
const LEFT = 110;
const RIGHT = 150;
const BAR = 16;
const GAP = 4;
const GROUP_GAP = 34;
const TOP = 74;

/** One colour a label; a label that is not here is drawn in the last. */
const COLOURS: Readonly<Record<string, string>> = {
  ws: '#7a869a',
  wss: '#4c9be8',
  naive: '#d98c3f',
  pq: '#1fa971',
  native: '#8f5bd6',
  'pq-wss': '#0b6e63',
  'native-wss': '#5b3a94',
  'node-crypto': '#7a869a',
  'native-crypto': '#b9a3dc',
  'native-plain': '#a97fe0',
};
const OTHER_COLOUR = '#888888';

const STYLE = `text{font:13px system-ui,sans-serif;fill:#1f2328}.t{font-size:17px;font-weight:600}.s,.f{fill:#59636e}.f{font-size:11px}.g{font-weight:600}
.w{stroke:#1f2328;stroke-opacity:.55}.r{stroke:#59636e;stroke-dasharray:3 3}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.s,.f{fill:#9198a1}.w{stroke:#e6edf3}.r{stroke:#9198a1}}`;

export function escapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] as string);
}

function text(x: number, y: number, kind: string, content: string, anchor = 'start'): string {
  return `<text x="${x}" y="${y}" class="${kind}" text-anchor="${anchor}">${escapeXml(content)}</text>`;
}

const round = (value: number): number => Math.round(value * 10) / 10;

function bar({ label, value, min, max }: Bar, y: number, scale: (value: number) => number): string[] {
  const middle = y + BAR / 2;
  const colour = COLOURS[label] ?? OTHER_COLOUR;
  return [
    text(LEFT - 8, y + 12, 'l', label, 'end'),
    `<rect x="${LEFT}" y="${y}" width="${round(Math.max(1, scale(value)))}" height="${BAR}" rx="2" fill="${colour}"/>`,
    `<line x1="${round(LEFT + scale(min))}" x2="${round(LEFT + scale(max))}" y1="${middle}" y2="${middle}" class="w"/>`,
    text(round(LEFT + scale(Math.max(value, max)) + 8), y + 12, 'v', figure(value)),
  ];
}

export function barChart({ title, subtitle, footer, groups, reference }: BarChart): string {
  const largest = Math.max(
    reference ?? 0,
    ...groups.flatMap(({ bars }) => bars.map(({ value, max }) => Math.max(value, max))),
  );
  const scale = (value: number): number => (largest <= 0 ? 0 : (Math.max(0, value) / largest) * (WIDTH - LEFT - RIGHT));
  const parts = [text(16, 28, 't', title), text(16, 48, 's', subtitle)];
  let y = TOP;
  for (const group of groups) {
    parts.push(text(16, y + 2, 'g', group.title));
    y += 12;
    for (const one of group.bars) {
      parts.push(...bar(one, y, scale));
      y += BAR + GAP;
    }
    y += GROUP_GAP - 12;
  }
  if (reference !== undefined) {
    const x = round(LEFT + scale(reference));
    parts.push(`<line x1="${x}" x2="${x}" y1="${TOP - 4}" y2="${y - GROUP_GAP + 14}" class="r"/>`);
  }
  for (const line of footer) {
    parts.push(text(16, y, 'f', line));
    y += 15;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" role="img" aria-label="${escapeXml(title)}"><style>${STYLE}</style>${parts.join('\n')}</svg>\n`;
}
