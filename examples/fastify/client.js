import { runClient as echo } from '../echo/client.js';

export const runClient = (url, text) => echo(`${url}/chat`, text);
