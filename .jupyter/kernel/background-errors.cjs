// Errors that no cell awaited: rejections nobody handles, throws in timers. Stock tslab prints them and goes
// on, so a notebook with a failed write in the background looks like a success. Here each becomes the error
// of the running cell, else of the next; what is left when the process ends goes to a file that the headless
// runner reads (MB_KERNEL_ERRORS).
const fs = require('node:fs');
const { describeError } = require('./describe-error.cjs');

const waiting = [];

function listen() {
  process.on('unhandledRejection', (reason) => waiting.push(describeError(reason)));
  process.on('uncaughtException', (error) => waiting.push(describeError(error)));
  process.on('exit', () => {
    const file = process.env.MB_KERNEL_ERRORS;
    if (!file || waiting.length === 0) return;
    fs.appendFileSync(file, `${waiting.map(({ traceback }) => traceback.join('\n')).join('\n')}\n`);
  });
}

/** @returns the errors that came since the last call, each as `{ ename, evalue, traceback }` */
function takeBackgroundErrors() {
  return waiting.splice(0);
}

/** Adds one to those that wait, e.g. that the process ends without having been asked. */
function addBackgroundError(thrown) {
  waiting.push(describeError(thrown));
}

module.exports = { addBackgroundError, listen, takeBackgroundErrors };
