/** The text of test/vectors/v1.json. own-vectors-bundle.ts puts the text itself in place of this file. */
import { readFileSync } from 'node:fs';

export const v1Text = readFileSync(new URL('../vectors/v1.json', import.meta.url), 'utf8');
