/** `#has-servers` of the script tag, where every connection is a client's: what only servers have is left out of the code. */
export const HAS_SERVERS = false;
