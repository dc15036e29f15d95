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

function watchParent() {
  const watcher = new Worker(WATCH, { eval: true, workerData: { parent: process.ppid } });
  watcher.on('message', () => process.exit(1));
  watcher.unref();
}

module.exports = { watchParent };
