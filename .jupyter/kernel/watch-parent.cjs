// A kernel whose Jupyter was killed would stay for ever, with its engines. A thread looks for the parent,
// since the main one may be busy in a cell: it asks the main thread to exit in order, and ends the process
// if that does not come about.
const { Worker } = require('node:worker_threads');

const WATCH = `
const { parentPort, workerData } = require('node:worker_threads');
const gone = setInterval(() => {
  if (process.ppid === workerData.parent) return;
  clearInterval(gone);
  parentPort.postMessage('parent gone');
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), 3000);
}, 1000);
`;

/** @param {() => void} onGone is to end the process in order */
function watchParent(onGone) {
  const watcher = new Worker(WATCH, { eval: true, workerData: { parent: process.ppid } });
  watcher.on('message', onGone);
  watcher.unref();
}

module.exports = { watchParent };
