/** Whether `npm run test:soak` runs this: then tests take minutes for what else they do in a second. */
export const soaks = (process.env['PQ_SOAK'] ?? '') !== '';

/** Steps through bits. Coprime to eight, so that a seventh of them still meets each place within a byte. */
export const BIT_STEP = soaks ? 1 : 7;
