/** The documentation site, over the pages that scripts/site.ts lays out. */
import { defineConfig } from 'vitepress';

const page = (text: string, link: string): { text: string; link: string } => ({ text, link });

/** As GitHub makes anchors of headings, where the same pages are read too. */
const slugify = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}\p{Pc} -]/gu, '')
    .replaceAll(' ', '-');

export default defineConfig({
  lang: 'en',
  title: 'pq-websocket',
  description: 'A drop-in WebSocket whose messages stay secret after quantum computers arrive.',
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  // The pages hold no HTML of their own, and what looks like it is text.
  markdown: {
    html: false,
    anchor: { slugify },
    // WCAG 2.1 AA wants more contrast (1.4.3) than the default themes have.
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
  },
  // `API reference` and the playground are put beside the pages after this build, and test/site/check.ts follows every link.
  ignoreDeadLinks: [/^\/(api|playground)\//, /\/(api|playground)\/index$/],
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      page('Tutorial', '/docs/tutorial'),
      page('Client', '/docs/client'),
      page('Server', '/docs/server'),
      { text: 'Playground', link: '/playground/', target: '_self' },
      { text: 'API', link: '/api/', target: '_self' },
    ],
    sidebar: [
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
          page('Heartbeats and scaling', '/docs/scaling'),
          page('Authentication', '/docs/integrations/authentication'),
          page('Libraries', '/docs/integrations/'),
          page('Testing with msw', '/docs/msw'),
          page('Gateway', '/docs/gateway'),
          page('Command line', '/docs/cli'),
          page('Nitro', '/docs/nitro'),
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
        ],
      },
      {
        text: 'Underneath',
        items: [
          page('Protocol', '/PROTOCOL'),
          page('Security', '/SECURITY'),
          page('Soundness', '/SOUNDNESS'),
          page('Architecture', '/ARCHITECTURE'),
          page('Performance', '/docs/performance'),
          page('Sizes', '/docs/sizes'),
          page('Changes', '/CHANGELOG'),
          page('All pages', '/docs/'),
        ],
      },
    ],
  },
});
