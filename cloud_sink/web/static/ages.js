// Keeps "5 minutes ago" true while the page stays open, by the receiver's clock and not by the visitor's.
// The words are those of ages.py.
const ahead = Date.parse(document.body.dataset.now) - Date.now();

const counted = (seconds, unit, name) => {
  const count = Math.floor(seconds / unit);
  return `${count} ${name}${count === 1 ? "" : "s"} ago`;
};

const words = (seconds) => {
  if (seconds < -60) return "ahead of this receiver's clock";
  if (seconds < 60) return "just now";
  if (seconds < 3600) return counted(seconds, 60, "minute");
  return seconds < 48 * 3600 ? counted(seconds, 3600, "hour") : counted(seconds, 86400, "day");
};

export const age = () => {
  for (const said of document.querySelectorAll("[data-at]")) {
    const text = words((Date.now() + ahead - Date.parse(said.dataset.at)) / 1000);
    if (said.textContent !== text) said.textContent = text;
  }
};
