/** The cases of extensions.json. */
import type { Case } from '../story.ts';
import { kemCases } from './kems.ts';
import { featureCases } from './features.ts';
import { exchangeCases } from './exchange.ts';
import { clientIdentityCases } from './client-identity.ts';
import { heartbeatCases } from './heartbeat.ts';
import { stories } from './told.ts';

export function extensionCases(): Case[] {
  kemCases();
  featureCases();
  exchangeCases();
  clientIdentityCases();
  heartbeatCases();
  return stories.map((story) => story.toCase());
}
