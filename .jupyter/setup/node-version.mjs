// The first thing that can be wrong. Cells and the kernel load ES modules with `require`, which Node can from
// these versions on; the odd line between them ended before it came.
const NEEDED = { 20: 19, 22: 12 };
const NEWEST_LINE = 22;

/**
 * @param {string} version as in `process.version`
 * @returns {string | undefined} the sentence to say if it is too old
 */
export function nodeComplaint(version) {
  const [major, minor] = version.replace('v', '').split('.').map(Number);
  if (major > NEWEST_LINE || minor >= NEEDED[major]) return undefined;
  return `meterbridge needs Node.js 20.19, 22.12 or newer and this is ${version}: install one from https://nodejs.org and run the command again.`;
}
