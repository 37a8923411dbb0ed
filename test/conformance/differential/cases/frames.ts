/** Frames of the page's own origin with the class under test. */
import type { Case, Cases, Scene } from '../scene.ts';
import { group } from './group.ts';

/** A frame of this page's own origin, with the class under test. @param policy its Content-Security-Policy */
export async function frame(
  scene: Scene,
  policy?: string,
): Promise<{ element: HTMLIFrameElement; WebSocket: Scene['WebSocket'] }> {
  const element = document.createElement('iframe');
  const loaded = new Promise((resolve) => {
    element.onload = resolve;
  });
  element.src = `/frame/?variant=${scene.setting.variant}${policy === undefined ? '' : `&policy=${encodeURIComponent(policy)}`}`;
  document.body.append(element);
  scene.cleanup(() => {
    element.remove();
  });
  await loaded;
  const inside = element.contentWindow as unknown as {
    WebSocket: Scene['WebSocket'];
    ClassUnderTest?: Scene['WebSocket'];
  };
  return {
    element,
    WebSocket: scene.setting.variant === 'class' ? (inside.ClassUnderTest as Scene['WebSocket']) : inside.WebSocket,
  };
}

/** Cases that need a document. */
export function inWindows(subject: string, cases: Cases): Case[] {
  return group(subject, cases).map((one) => ({ ...one, where: (kind) => kind === 'window' }));
}

/** A socket of the frame that has opened. */
export async function openedIn(FrameSocket: Scene['WebSocket'], url: string): Promise<WebSocket> {
  const socket = new FrameSocket(url);
  await new Promise((resolve) => {
    socket.onopen = resolve;
  });
  return socket;
}
