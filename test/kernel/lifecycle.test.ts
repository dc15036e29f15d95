import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type KernelClient,
  projectRoot,
  startKernel,
  writeConnectionFile,
} from '../support/kernel-client.js';

const folder = mkdtempSync(join(tmpdir(), 'lifecycle-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** How a kernel is interrupted and how it ends. */
describe('a kernel at work', () => {
  let kernel: KernelClient;
  beforeAll(async () => {
    kernel = await startKernel();
  });
  afterAll(() => kernel.close());

  // The first prints when it already waits: Node loses a signal that comes just as a script hands over.
  it.each([
    ['waits', 'await new Promise(setImmediate);\nconsole.log("begun");\nawait new Promise(() => {});'],
    ['computes', 'console.log("begun");\nwhile (true) {}'],
  ])('can be interrupted in a cell that %s, and lives on', async (_, code) => {
    const cell = kernel.run(code);
    await kernel.printed('begun');
    kernel.process.kill('SIGINT');
    expect((await cell).reply).toMatchObject({ status: 'error', ename: 'Interrupted' });
    expect((await kernel.run('1 + 1')).stdout).toBe('2\n');
  });

  it('answers what Jupyter asks beside cells', async () => {
    expect(await kernel.request('comm_info_request', {})).toEqual({ status: 'ok', comms: {} });
    expect(await kernel.request('is_complete_request', { code: 'f(' })).toMatchObject({
      status: 'incomplete',
    });
    expect(await kernel.request('complete_request', { code: 'Math.flo', cursor_pos: 8 })).toMatchObject({
      matches: expect.arrayContaining(['floor']),
    });
  });

  // The last: it is gone then.
  it('ends when asked to, with handles open and exit handlers run', async () => {
    const trace = join(folder, 'exit');
    await kernel.run(
      `import net from "node:net"; import fs from "node:fs";
       net.createServer().listen(0); setInterval(() => {}, 1000);
       process.once("exit", () => fs.writeFileSync(${JSON.stringify(trace)}, "handled"));`,
    );
    expect(await kernel.shutdown()).toBe(0);
    expect(readFileSync(trace, 'utf8')).toBe('handled');
  });
});

describe('a kernel', () => {
  it('says so when a cell ends it', async () => {
    const file = join(folder, 'errors');
    const kernel = await startKernel({ env: { MB_KERNEL_ERRORS: file } });
    void kernel.run('process.exit(0)');
    await once(kernel.process, 'exit');
    expect(readFileSync(file, 'utf8')).toContain('process.exit(0) ended the kernel');
    await kernel.close();
  });

  it('ends when the process that started it is killed, which is no error of a cell', async () => {
    const errors = join(folder, 'late-errors');
    const { file, ports } = await writeConnectionFile(folder);
    const kernelFile = join(projectRoot, '.jupyter', 'kernel.cjs');
    const start = `const { spawn } = require('node:child_process');
      const kernel = spawn(process.execPath, [${JSON.stringify(kernelFile)}, '--config-path', ${JSON.stringify(file)}],
        { stdio: 'ignore' });
      console.log(kernel.pid);`;
    const parent = spawn(process.execPath, ['-e', start], {
      env: { ...process.env, MB_KERNEL_ERRORS: errors },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed] = await once(parent.stdout, 'data');
    await Promise.all(ports.map(answers));
    parent.kill('SIGKILL');
    await gone(Number(printed));
    expect(existsSync(errors)).toBe(false);
  });
});

/** Resolves when something listens on the port. */
async function answers(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const listening = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (listening) return;
    await wait(50);
  }
}

/** Resolves when no process has this id any more; the test's own time-out is the limit. */
async function gone(pid: number): Promise<void> {
  while (isAlive(pid)) await wait(50);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
