/** The site's list of pages, apart from the rest of its configuration so that test/unit/docs.test.ts can read it. */
interface Link {
  readonly text: string;
  readonly link: string;
}

interface Group {
  readonly text: string;
  readonly items: Link[];
}

export const page = (text: string, link: string): Link => ({ text, link });

export const SIDEBAR: Group[] = [
  {
    text: 'Learn',
    items: [
      page('Tutorial: ten minutes', '/docs/tutorial'),
      page('How it works, in pictures', '/docs/how-it-works'),
      page('Playground', '/docs/playground'),
      page('From the native WebSocket', '/docs/migrating-from-native'),
      page('From npm ws', '/docs/ws'),
      page('Questions and answers', '/docs/faq'),
      page('Comparison', '/docs/comparison'),
      page('Choosing', '/docs/choosing'),
    ],
  },
  {
    text: 'Use',
    items: [
      page('Client', '/docs/client'),
      page('Server', '/docs/server'),
      page('Script tag', '/docs/script-tag'),
      page('Staying connected', '/docs/staying-connected'),
      page('Streams', '/docs/streams'),
      page('Heartbeats and scaling', '/docs/scaling'),
      page('Authentication', '/docs/integrations/authentication'),
      page('Libraries', '/docs/integrations/'),
      page('Testing with msw', '/docs/msw'),
      page('Testing with mock-socket', '/docs/mock-libraries'),
      page('Gateway', '/docs/gateway'),
      page('From nginx, HAProxy, Caddy, Traefik', '/docs/from-other-proxies'),
      page('Command line', '/docs/cli'),
      page('Nitro', '/docs/nitro'),
      page('Cryptography in AWS-LC', '/packages/native/'),
      page('Runtimes', '/docs/runtimes'),
      page('Deployment', '/docs/deployment'),
    ],
  },
  {
    text: 'In a framework',
    items: [
      page('React', '/docs/frameworks/react'),
      page('Vue', '/docs/frameworks/vue'),
      page('Next', '/docs/frameworks/next'),
      page('Electron', '/docs/frameworks/electron'),
      page('React Native', '/docs/frameworks/react-native'),
    ],
  },
  {
    text: 'When something is wrong',
    items: [
      page('Troubleshooting', '/docs/troubleshooting'),
      page('Every error code', '/docs/errors'),
      page('Closes and failures', '/docs/failures'),
      page('Limits', '/docs/limits'),
      page('How do I know that it works?', '/docs/how-do-i-know'),
      page('Debugging', '/docs/debugging'),
    ],
  },
  {
    text: 'Underneath',
    items: [
      page('Protocol', '/PROTOCOL'),
      page('Protocol: every state', '/docs/protocol/states'),
      page('The yellowpages profile', '/docs/yellowpages'),
      page('Security', '/SECURITY'),
      page('Soundness', '/SOUNDNESS'),
      page('Proofs', '/proof/'),
      page('Architecture', '/ARCHITECTURE'),
      page('Peers in other languages', '/docs/interop'),
      page('Conformance', '/docs/conformance'),
      page('Mutants of the vectors', '/docs/mutants'),
      page('Performance', '/docs/performance'),
      page('Sizes', '/docs/sizes'),
      page('Changes', '/CHANGELOG'),
      page('All pages', '/docs/'),
    ],
  },
];

/** Pages that docs/README.md lists and the sidebar does not, each with the reason. */
export const NOT_IN_SIDEBAR: Readonly<Record<string, string>> = {
  '/': "the site's own front page stands for the README, behind the title",
};
