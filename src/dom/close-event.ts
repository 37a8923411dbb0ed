/** Elsewhere, where a CloseEvent is missing from nothing but what is no browser: its three members, and no more. */
export class FallbackCloseEvent extends Event {
  declare readonly code: number;
  declare readonly reason: string;
  declare readonly wasClean: boolean;

  constructor(type: string, init: CloseEventInit) {
    super(type, init);
    const { code, reason, wasClean } = init;
    Object.assign(this, { code, reason, wasClean });
  }
}
