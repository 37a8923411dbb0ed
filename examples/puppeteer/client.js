import { PQWebSocket } from 'pq-websocket';
import puppeteer from 'puppeteer-core';

/** A transport as puppeteer’s `connect` takes it. */
export function sealedTransport(url) {
  const socket = new PQWebSocket(url);
  const transport = { send: (message) => socket.send(message), close: () => socket.close() };
  socket.onmessage = ({ data }) => transport.onmessage?.(data);
  return new Promise((resolve, reject) => {
    socket.onopen = () => resolve(transport);
    socket.onclose = ({ code, reason }) => {
      reject(new Error(`no browser: ${code} ${reason}`));
      transport.onclose?.();
    };
  });
}

export const connect = async (url) => puppeteer.connect({ transport: await sealedTransport(url) }); // was: { browserWSEndpoint: url }

export async function runClient(url, text = 'hello, page') {
  const browser = await connect(url);
  const page = await browser.newPage();
  await page.setContent(`<title>${text}</title>`);
  const said = [await page.title()];
  await page.close();
  await browser.disconnect();
  return said;
}
