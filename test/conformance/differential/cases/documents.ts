/** Windows: documents that go away, their frames, and what goes with their requests. */
import type { Scene } from '../scene.ts';
import { frame, inWindows, openedIn } from './frames.ts';

export const documentCases = inWindows('lifetime', {
  'a frame that is removed ends its connections': async (scene) => {
    const { element, WebSocket: FrameSocket } = await frame(scene);
    const url = scene.url();
    const socket = new FrameSocket(url);
    await new Promise((resolve) => {
      socket.onopen = resolve;
    });
    scene.watch(socket);
    element.remove();
    scene.note('server', await scene.server(url, 'closed'));
    await scene.tasks(5);
  },
  'a frame that navigates ends its connections': async (scene) => {
    const { element, WebSocket: FrameSocket } = await frame(scene);
    const url = scene.url();
    const socket = new FrameSocket(url);
    await new Promise((resolve) => {
      socket.onopen = resolve;
    });
    scene.watch(socket);
    element.src = '/frame/?variant=native';
    scene.note('server', await scene.server(url, 'closed'));
    await scene.tasks(5);
  },
  'a frame that is removed while connecting': async (scene) => {
    const { element, WebSocket: FrameSocket } = await frame(scene);
    const url = scene.url('/echo?upgrade=hold');
    const socket = new FrameSocket(url);
    scene.watch(socket);
    await scene.server(url, 'request');
    element.remove();
    await scene.tasks(10);
    scene.note('no event');
  },
  'a frame that removes itself in a handler': async (scene) => {
    const { element, WebSocket: FrameSocket } = await frame(scene);
    const socket = new FrameSocket(scene.url('/echo?upgrade=404'));
    await new Promise<void>((resolve) => {
      socket.onerror = (): void => {
        element.remove();
        scene.note('error', socket.readyState);
        resolve();
      };
      socket.onclose = (): void => {
        scene.note('close');
      };
    });
    await scene.tasks(5);
  },
  'a socket made in a frame that is gone': async (scene) => {
    const { element, WebSocket: FrameSocket } = await frame(scene);
    const url = scene.url();
    element.remove();
    const socket = scene.attempt('constructor', () => new FrameSocket(url)) as WebSocket | undefined;
    if (socket === undefined) return;
    scene.note('state', scene.state(socket));
    scene.watch(socket);
    await scene.tasks(10);
  },
  "a frame's class is its own realm's": async (scene) => {
    const { element, WebSocket: FrameSocket } = await frame(scene);
    const inside = element.contentWindow as unknown as {
      DOMException: typeof DOMException;
      TypeError: typeof TypeError;
      EventTarget: typeof EventTarget;
      Event: typeof Event;
    };
    scene.note('another class', FrameSocket !== scene.WebSocket);
    const thrown = (act: () => unknown): unknown => {
      try {
        return act();
      } catch (error) {
        return error;
      }
    };
    scene.note('DOMException of the frame', thrown(() => new FrameSocket('bad url://')) instanceof inside.DOMException);
    scene.note('TypeError of the frame', thrown(() => new FrameSocket()) instanceof inside.TypeError);
    const socket = scene.adopt(new FrameSocket('relative'));
    scene.note('relative to the frame', socket.url);
    scene.note('instanceof', [
      socket instanceof FrameSocket,
      socket instanceof scene.WebSocket,
      socket instanceof inside.EventTarget,
    ]);
    const other = scene.adopt(new FrameSocket(scene.url()));
    const event = await new Promise<Event>((resolve) => {
      other.onopen = resolve;
    });
    scene.note('event of the frame', event instanceof inside.Event);
    scene.attempt('getter across realms', () =>
      (
        Object.getOwnPropertyDescriptor(
          (scene.WebSocket as unknown as { prototype: object }).prototype,
          'readyState',
        ) as { get: () => unknown }
      ).get.call(other),
    );
  },
  'document.open() ends nothing': async (scene) => {
    const { element, WebSocket: FrameSocket } = await frame(scene);
    const socket = new FrameSocket(scene.url());
    await new Promise((resolve) => {
      socket.onopen = resolve;
    });
    const inner = element.contentDocument as Document;
    inner.open();
    inner.write('written');
    inner.close();
    await scene.tasks(3);
    scene.note('readyState', socket.readyState);
    const reply = scene.messages(socket, 1);
    scene.attempt('send', () => {
      socket.send('still');
    });
    scene.note('reply', await Promise.race([reply, scene.tasks(100).then(() => 'none')]));
  },
  'beforeunload alone ends nothing': async (scene) => {
    const { element, WebSocket: FrameSocket } = await frame(scene);
    const socket = await openedIn(FrameSocket, scene.url());
    element.contentWindow?.dispatchEvent(new Event('beforeunload', { cancelable: true }));
    (element.contentWindow as Window).location.hash = 'fragment';
    await scene.tasks(3);
    const reply = scene.messages(socket, 1);
    socket.send('still there');
    scene.note('reply', await reply);
  },
  'a frame that is moved within the document ends its connections': async (scene) => {
    const { element, WebSocket: FrameSocket } = await frame(scene);
    const socket = await openedIn(FrameSocket, scene.url());
    const elsewhere = document.body.appendChild(document.createElement('div'));
    scene.cleanup(() => {
      elsewhere.remove();
    });
    elsewhere.append(element);
    scene.note('server', await scene.server(socket, 'closed'));
  },
  "a frame that navigates, and comes back, ends nothing of the page's": async (scene) => {
    const { element } = await frame(scene);
    const socket = await scene.opened();
    const loaded = (): Promise<unknown> =>
      new Promise((resolve) => {
        element.onload = resolve;
      });
    for (const go of [
      (): void => {
        element.src = '/frame/?variant=native&another';
      },
      (): void => {
        element.contentWindow?.history.back();
      },
    ]) {
      const there = loaded();
      go();
      await there;
      const reply = scene.messages(socket, 1);
      socket.send('still there');
      scene.note('reply', await reply);
    }
  },
  'the members of a socket of a frame that is gone': async (scene) => {
    const { element, WebSocket: FrameSocket } = await frame(scene);
    const socket = await openedIn(FrameSocket, scene.url());
    element.remove();
    await scene.server(socket, 'closed');
    await scene.tasks(3);
    scene.note('url', socket.url);
    scene.note('protocol', socket.protocol);
    for (const [label, act] of Object.entries({
      send: (): unknown => {
        socket.send('x');
        return 'taken';
      },
      'bad code': (): unknown => {
        socket.close(1);
        return 'taken';
      },
      close: (): unknown => {
        socket.close(4000, 'late');
        return 'taken';
      },
      binaryType: (): unknown => {
        socket.binaryType = 'arraybuffer';
        return socket.binaryType;
      },
      listener: (): unknown => {
        socket.onclose = (): void => undefined;
        return typeof socket.onclose;
      },
    }))
      scene.attempt(label, act);
  },
  'a sandboxed frame, whose origin is opaque, connects': async (scene) => {
    const element = document.createElement('iframe');
    element.sandbox.add('allow-scripts');
    const { variant } = scene.setting;
    const url = scene.url();
    const { harness } = scene.setting;
    const scripts = variant === 'native' ? [] : [variant === 'polyfill' ? 'polyfill.js' : 'class.js'];
    element.srcdoc = `<!doctype html><meta charset="utf-8">${scripts.map((name) => `<script src="${harness}/${name}"></script>`).join('')}
      <script>const socket = new ${variant === 'class' ? 'ClassUnderTest' : 'WebSocket'}(${JSON.stringify(url)});
      socket.onopen = () => parent.postMessage('open', '*');
      socket.onclose = () => parent.postMessage('close', '*');</script>`;
    const said = new Promise((resolve) => {
      const heard = ({ data, source }: MessageEvent): void => {
        if (source === element.contentWindow) resolve(data);
      };
      addEventListener('message', heard);
      scene.cleanup(() => {
        removeEventListener('message', heard);
      });
    });
    document.body.append(element);
    scene.cleanup(() => {
      element.remove();
    });
    scene.note('settled', await said);
    scene.note('request', await scene.server(url, 'request', 'origin'));
  },
});

/** Navigates a frame, with one socket that is open; resolves when the frame has gone and the server knows it. */
async function left(scene: Scene, at: Readonly<Record<string, (socket: WebSocket) => void>>): Promise<WebSocket> {
  const { element, WebSocket: FrameSocket } = await frame(scene);
  const inside = element.contentWindow as Window;
  const socket = await openedIn(FrameSocket, scene.url('/quiet'));
  for (const [type, act] of Object.entries(at))
    inside.addEventListener(type, () => {
      act(socket);
    });
  const loaded = new Promise((resolve) => {
    element.onload = resolve;
  });
  element.src = '/frame/?variant=native';
  await loaded;
  await scene.server(socket, 'closed');
  return socket;
}

export const leavingCases = inWindows('leaving', {
  'the state of an open socket': async (scene) => {
    const note =
      (type: string) =>
      (socket: WebSocket): void => {
        scene.note(type, socket.readyState);
      };
    const socket = await left(scene, {
      beforeunload: note('beforeunload'),
      pagehide: note('pagehide'),
      unload: note('unload'),
    });
    scene.note('server', await scene.server(socket, 'closed'));
    scene.note('after', socket.readyState);
  },
  'close() in beforeunload': async (scene) => {
    const socket = await left(scene, {
      beforeunload: (leaving) => {
        leaving.close(4000, 'away');
      },
    });
    scene.note('server', await scene.server(socket, 'closed'));
  },
  'close() in pagehide': async (scene) => {
    const socket = await left(scene, {
      pagehide: (leaving) => {
        scene.attempt('close', () => {
          leaving.close(4000, 'away');
        });
        scene.note('readyState', leaving.readyState);
      },
    });
    scene.note('server', await scene.server(socket, 'closed'));
  },
  'what is sent in beforeunload': async (scene) => {
    const socket = await left(scene, {
      beforeunload: (leaving) => {
        leaving.send('the last words');
      },
    });
    scene.note('server heard', await scene.server(socket, 'hears', 0));
  },
  'what is sent in pagehide': async (scene) => {
    const socket = await left(scene, {
      pagehide: (leaving) => {
        scene.attempt('send', () => {
          leaving.send('the last words');
        });
      },
    });
    scene.note('server heard', await scene.server(socket, 'hears', 0));
  },
});

export const requestCases = inWindows('request', {
  'cookies of the host go with it': async (scene) => {
    document.cookie = 'conformance=a value; path=/; SameSite=Strict';
    document.cookie = 'elsewhere=1; path=/elsewhere';
    scene.cleanup(() => {
      document.cookie = 'conformance=; path=/; Max-Age=0';
      document.cookie = 'elsewhere=; path=/elsewhere; Max-Age=0';
    });
    for (const path of ['/echo', '/elsewhere']) {
      const socket = await scene.opened(path);
      scene.note(path, await scene.server(socket, 'request', 'cookie'));
    }
  },
  'cookies that its answer sets are kept': async (scene) => {
    scene.cleanup(() => {
      document.cookie = 'answered=; path=/; Max-Age=0';
    });
    await scene.opened(`/echo?set-cookie=${encodeURIComponent('answered=yes; path=/')}`);
    scene.note('document', document.cookie);
    await scene.opened(`/echo?set-cookie=${encodeURIComponent('hidden=yes; path=/; HttpOnly')}`);
    scene.note('document, HttpOnly', document.cookie);
    const socket = await scene.opened(`/echo?set-cookie=${encodeURIComponent('hidden=; path=/; HttpOnly; Max-Age=0')}`);
    scene.note('request', await scene.server(socket, 'request', 'cookie'));
  },
  'it names the origin of the page, and no referrer': async (scene) => {
    const socket = await scene.opened();
    scene.note('request', await scene.server(socket, 'request', 'origin', 'referer', 'user-agent'));
  },
  'an http page in a secure context may use ws://': async (scene) => {
    scene.note('secure context', isSecureContext);
    const socket = await scene.opened();
    scene.note('readyState', socket.readyState);
  },
  'a policy that allows no connection': async (scene) => {
    const { element, WebSocket: FrameSocket } = await frame(scene, "connect-src 'none'");
    const violation = new Promise<string>((resolve) => {
      element.contentDocument?.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
        resolve(effectiveDirective);
      });
    });
    const socket = scene.attempt('constructor', () => new FrameSocket(scene.url())) as WebSocket | undefined;
    if (socket === undefined) return;
    scene.watch(socket);
    await scene.failed(socket);
    scene.note('violated', await violation);
    scene.note('state', scene.state(socket));
  },
});
