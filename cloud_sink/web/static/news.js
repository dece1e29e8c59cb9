// How news of the receiver reach the open pages of one browser.
//
// A browser opens at most six connections to a server that speaks HTTP/1.1, and an event stream holds its connection for
// as long as its page is open. So the pages share one stream: who holds the lock leads, listens to the receiver, and
// tells the others over a channel. The browser gives the lock on when the leader's page goes, however it goes. Whoever
// hears nothing for a while asks the receiver by itself, and so do all where the browser has no locks (over plain HTTP
// from another machine), no channel or no stream.

const QUIET_MS = 40_000; // the receiver says something every 15 seconds
const LOOK_MS = 2_000;
const ASK_MS = 4_000;
const AGAIN_MS = 10_000;
const PATIENCE_MS = 3_000; // with who leads, when a page opens

const place = (path) => new URL(path, import.meta.url);
const NAME = `sealcam news ${place("..").pathname}`; // one receiver a path

// `onNews` gets a word for the state of what the receiver knows: when it is another, there is news. `onState` gets
// whether the receiver answers.
export const follow = (onNews, onState) => {
  const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(NAME) : null;
  const shared = Boolean(channel && navigator.locks && globalThis.EventSource);
  let stream = null; // the leader's
  let leads = false;
  let latest = null; // what the receiver said last, as it goes over the channel
  let heard = shared ? Date.now() - QUIET_MS + PATIENCE_MS : 0;
  let asked = 0;
  let opened = 0;

  const take = (said) => {
    latest = said;
    heard = Date.now();
    onState(said.up);
    if (said.up && said.version) onNews(said.version);
  };

  const tell = (said) => {
    take(said);
    channel?.postMessage(said);
  };

  const ask = () => {
    if (Date.now() - asked < ASK_MS) return;
    asked = Date.now();
    const request = new XMLHttpRequest();
    request.open("GET", place("../api/news"));
    request.responseType = "json";
    request.timeout = 10_000;
    request.onload = () => {
      const version = request.status === 200 && request.response?.version;
      onState(Boolean(version));
      if (version) onNews(String(version));
    };
    request.onerror = request.ontimeout = () => onState(false);
    request.send();
  };

  const giveUp = () => {
    heard = 0;
    if (leads) channel?.postMessage("quiet");
  };

  const listen = () => {
    stream?.close();
    opened = Date.now();
    stream = new EventSource(place("../events"));
    stream.addEventListener("news", (event) => tell({ up: true, version: event.lastEventId }));
    stream.addEventListener("beat", () => tell({ up: true, version: latest?.version ?? null }));
    stream.addEventListener("error", () => {
      if (stream.readyState !== EventSource.CLOSED) tell({ up: false, version: null });
      else giveUp(); // refused, by the receiver or a proxy before it: all ask, and the leader tries again later
    });
  };

  const look = () => {
    const quiet = Date.now() - heard > QUIET_MS; // also after the machine has slept, when the connection may be dead
    if (leads && quiet && Date.now() - opened > AGAIN_MS) listen();
    if (quiet) ask();
  };

  if (shared) {
    channel.onmessage = ({ data }) => {
      if (data === "ask") {
        if (leads && latest) channel.postMessage(latest);
      } else if (data === "quiet") heard = 0;
      else take(data);
    };
    channel.postMessage("ask");
    navigator.locks
      .request(NAME, () => {
        leads = true;
        listen();
        return new Promise(() => {}); // until the page goes
      })
      .catch(giveUp); // a page that may not have locks
  }
  addEventListener("pageshow", look);
  document.addEventListener("visibilitychange", look);
  setInterval(look, LOOK_MS);
  look();
};
