// Replaces the parts of a page that changed, as the server draws them; see xlt_backend/page/live.py.
"use strict";
const address = document.body.dataset.events;
if (address) {
  let events = null;
  const follow = () => {
    if (document.hidden) {
      events?.close();
      events = null;
    } else if (!events) {
      events = new EventSource(address);
      events.onmessage = ({ data }) => {
        const { id, html } = JSON.parse(data);
        const shown = document.getElementById(id);
        if (!shown) return;
        const { version } = shown.dataset;
        shown.outerHTML = html;
        // A new version has other measurements, which are elsewhere on the page.
        if (document.getElementById(id).dataset.version !== version) location.reload();
      };
    }
  };
  document.addEventListener("visibilitychange", follow);
  follow();
}
