/** The cases of v1.json: what an implementation must not do, one failure a case. */
import { parsing } from './parsing.ts';
import { states } from './states.ts';
import { authentication } from './authentication.ts';
import { exporter } from './exporter.ts';
import { records } from './records.ts';
import { updates } from './updates.ts';
import { closing } from './closing.ts';
import { failures } from './failures.ts';
import { fastOpen } from './fast-open.ts';
import { stories } from './told.ts';

export function v1Cases(): object[] {
  parsing();
  states();
  authentication();
  exporter();
  records();
  updates();
  closing();
  failures();
  fastOpen();
  return stories.map((story) => story.toCase());
}
