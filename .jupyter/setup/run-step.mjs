// Runs one program of set-up and shows that it is alive: seconds that count on a terminal, a line every ten
// seconds elsewhere. Its output is shown only when it fails.
import { spawn } from 'node:child_process';
import { root } from './paths.mjs';

const ALIVE_MS = 10_000;
const TAIL_LINES = 20;

/** A step that failed, with what a person needs to see: the end of its output and the command. */
export class StepError extends Error {
  name = 'StepError';

  constructor(title, commandLine, reason, output) {
    const tail = output.trimEnd().split('\n').slice(-TAIL_LINES).join('\n    ');
    super(`${title} failed (${reason}).\n    ${tail}\n  The command was: ${commandLine}`);
    this.output = output;
  }
}

/**
 * @param {string} title what it does, e.g. `Installing packages`
 * @param {string} program
 * @param {string[]} args
 * @param {object} [options]
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {NodeJS.WriteStream} [options.progress] where it is shown @default process.stdout
 * @returns {Promise<string>} its output
 * @throws {StepError}
 */
export async function runStep(title, program, args, options = {}) {
  const { env = process.env, progress = process.stdout } = options;
  const began = Date.now();
  const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`;
  const terminal = progress.isTTY;
  const alive = setInterval(
    () => progress.write(terminal ? `\r… ${title}  ${seconds()} ` : `… ${title}, ${seconds()}\n`),
    terminal ? 1000 : ALIVE_MS,
  );
  progress.write(terminal ? `… ${title} ` : `… ${title}\n`);
  try {
    const { output, reason } = await runProgram(program, args, env);
    if (reason) throw new StepError(title, [program, ...args].join(' '), reason, output);
    progress.write(`${terminal ? '\r\x1b[K' : ''}✓ ${title}  ${seconds()}\n`);
    return output;
  } catch (error) {
    if (terminal) progress.write('\r\x1b[K');
    throw error;
  } finally {
    clearInterval(alive);
  }
}

function runProgram(program, args, env) {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    child.on('error', (error) => resolve({ output, reason: error.message }));
    child.on('close', (code, signal) =>
      resolve({ output, reason: code === 0 ? undefined : (signal ?? `exit code ${code}`) }),
    );
  });
}
