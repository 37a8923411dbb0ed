/** `#has-servers` of every build but the script tag's. */
export const HAS_SERVERS = true;
