// `npm run sizes`: what an install brings, what each entry point costs a page, and whether both are within their budgets. Needs
// `npm run build`.
import { reportInstall } from './lib/install-size.ts';
import { reportSizes } from './lib/sizes.ts';

const installed = await reportInstall();
const measured = await reportSizes();
process.exitCode = installed && measured ? 0 : 1;
