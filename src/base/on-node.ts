/**
 * `#on-node` where this is not the build for Node: what only that has a use for (answers in the caller's turn, npm `ws` underneath) is left
 * out of the code. On Node on-node-true.ts stands here.
 */
export const ON_NODE = false;
