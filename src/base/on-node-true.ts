/** `#on-node` of the build for Node, Deno and Bun. */
export const ON_NODE = true;
