/**
 * Runs on each page of TypeDoc's reference. Its navigation, which it builds there, has links inside of what opens and closes a branch: one
 * control in another, which keyboards and screen readers cannot tell apart (axe: nested-interactive). Here the link comes first in the branch.
 */
const navigation = document.getElementById('tsd-nav-container');

function mend() {
  for (const link of navigation.querySelectorAll('summary > a')) {
    const summary = link.parentElement;
    const name = document.createElement('span');
    name.append(...[...link.childNodes].map((node) => node.cloneNode(true)));
    link.replaceWith(name);
    const first = document.createElement('li');
    first.append(link);
    summary.parentElement.querySelector('ul').prepend(first);
  }
}

if (navigation !== null) {
  new MutationObserver(mend).observe(navigation, { childList: true });
  mend();
}
