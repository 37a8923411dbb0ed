/** Runs once for each window of developer tools: adds the panel. */
import { developerTools } from './chrome.js';

developerTools().panels.create('PQ WebSocket', '', 'src/panel.html');
