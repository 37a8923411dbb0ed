/** How an object looks in a debugger's console is the browser's own to say. On Node inspectable-node.ts stands here. */
export function inspectable(_target: unknown, _facts: unknown): void {}
