// `npm run sizes`: what each entry point costs a page, and whether that is within its budget. Needs `npm run build`.
import { reportSizes } from './lib/sizes.ts';

process.exitCode = (await reportSizes()) ? 0 : 1;
