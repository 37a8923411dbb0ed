/** The documentation site, over the pages that scripts/site.ts lays out. */
import { defineConfig } from 'vitepress';
import { page, SIDEBAR } from './sidebar.ts';

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
    sidebar: SIDEBAR,
  },
});
