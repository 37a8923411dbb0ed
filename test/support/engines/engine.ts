/** The browsers that tests run in, under one small interface. */
export interface EnginePage {
  /** @param body of an async function in the page @returns its result, through JSON */
  run(body: string): Promise<unknown>;
  /** Writes a PNG of the window. */
  screenshot(file: string): Promise<void>;
  close(): Promise<void>;
}

export interface Engine {
  readonly name: 'Chromium' | 'Firefox' | 'WebKitGTK';
  readonly version: string;
  /** Opens a URL in a window of its own, and waits until it has loaded. */
  open(url: string): Promise<EnginePage>;
  /** Ends the browser, and deletes its profile. */
  close(): Promise<void>;
}
