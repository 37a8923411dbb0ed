/** Members that a test puts on `Object.prototype`, as a hole elsewhere in a process lets an attacker do, and takes away again. */
import { onTestFinished } from 'vitest';

/** Until the test has ended. Not enumerable: what reads own properties sees nothing of them. */
export function pollute(members: Readonly<Record<string, unknown>>): void {
  const names = Object.keys(members);
  const descriptors = names.map((name) => ({
    __proto__: null,
    value: members[name],
    configurable: true,
    writable: true,
    enumerable: false,
  }));
  for (const [index, name] of names.entries()) {
    Object.defineProperty(Object.prototype, name, descriptors[index] as PropertyDescriptor);
  }
  onTestFinished(() => {
    for (const name of names) Reflect.deleteProperty(Object.prototype, name);
  });
}
