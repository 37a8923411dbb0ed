/** The little that the panel takes of the browser's own interface for extensions. */

/**
 * @typedef {{ isError?: boolean, isException?: boolean, value?: unknown, description?: unknown, details?: unknown[] }} EvaluationError
 * @typedef {object} DeveloperTools
 * @property {{ create(title: string, icon: string, page: string): void }} panels
 * @property {{ eval(expression: string, callback: (result: unknown, error?: EvaluationError) => void): void }} inspectedWindow
 */

/** @returns {DeveloperTools} */
export function developerTools() {
  return /** @type {{ chrome: { devtools: DeveloperTools } }} */ (/** @type {unknown} */ (globalThis)).chrome.devtools;
}

/**
 * Runs an expression in the inspected page's top frame, whatever that page's Content-Security-Policy says.
 * @param {string} expression
 * @returns {Promise<unknown>} what it gave, as JSON carries it
 * @throws {Error} where it threw, or where there is no page to run it in
 */
export function evaluateInPage(expression) {
  return new Promise((resolve, reject) => {
    developerTools().inspectedWindow.eval(expression, (result, error) => {
      if (error?.isError || error?.isException) reject(new Error(reasonOf(error)));
      else resolve(result);
    });
  });
}

/** @param {EvaluationError} error */
function reasonOf({ value, description, details = [] }) {
  if (value !== undefined) return String(value);
  // As `console.log` has it: `%s` stands for the details in turn.
  return details.reduce(
    (/** @type {string} */ text, detail) => text.replace('%s', () => String(detail)),
    String(description),
  );
}
