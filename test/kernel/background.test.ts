import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KernelClient, startKernel } from '../support/kernel-client.js';

/** Errors that no cell awaits. Stock tslab prints them and calls the cell a success. */
const folder = mkdtempSync(join(tmpdir(), 'background-'));
const lateErrors = join(folder, 'errors');
let kernel: KernelClient;
beforeAll(async () => {
  kernel = await startKernel({ env: { MB_KERNEL_ERRORS: lateErrors } });
});
afterAll(async () => {
  await kernel.close();
  rmSync(folder, { recursive: true });
});

/** A cell that ends when the timers set before it have fired. */
const laterCell = 'await new Promise((resolve) => setTimeout(resolve, 30));';

describe('an error that no cell awaits', () => {
  it('is the error of the cell that is running', async () => {
    const { reply } = await kernel.run('void Promise.reject(new Error("lost"));');
    expect(reply).toMatchObject({ status: 'error', ename: 'Error', evalue: 'lost' });
    expect((reply.traceback as string[])[0]).toBe('Not awaited: Error: lost');
  });

  it('is so too when a timer throws it', async () => {
    const { reply } = await kernel.run(`setTimeout(() => { throw new TypeError("tick"); });\n${laterCell}`);
    expect(reply).toMatchObject({ status: 'error', ename: 'TypeError', evalue: 'tick' });
  });

  it('is the next cell’s when it comes between two', async () => {
    await kernel.run('setTimeout(() => void Promise.reject(new Error("late")), 1);');
    const { reply, stdout } = await kernel.run(`${laterCell}\nconsole.log("ran");`);
    expect(reply).toMatchObject({ status: 'error', evalue: 'late' });
    expect(stdout).toBe('ran\n');
  });

  it('stands behind the cell’s own', async () => {
    const { reply } = await kernel.run(
      'void Promise.reject(new Error("second"));\nthrow new Error("first");',
    );
    expect(reply.evalue).toBe('first');
    expect((reply.traceback as string[]).join('\n')).toContain('Not awaited: Error: second');
  });

  it('is told once', async () => {
    expect((await kernel.run('1')).reply.status).toBe('ok');
  });

  it('goes to the file when no cell comes any more', async () => {
    expect(existsSync(lateErrors)).toBe(false);
    await kernel.run(
      'process.once("exit", () => undefined); setTimeout(() => { throw new Error("after all"); }, 150);',
    );
    await kernel.shutdown();
    expect(readFileSync(lateErrors, 'utf8')).toContain('Error: after all\n');
  });
});
