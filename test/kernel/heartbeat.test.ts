import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startKernel } from '../support/kernel-client.js';

const folder = mkdtempSync(join(tmpdir(), 'heartbeat-'));
const lateErrors = join(folder, 'errors');
afterAll(() => rmSync(folder, { recursive: true }));

const tslab = createRequire(import.meta.url).resolve('tslab/package.json');
const zeromq = createRequire(tslab).resolve('zeromq');

/** A process of its own, so that heartbeats come without a pause while the kernel ends. */
async function flood(port: number) {
  const script = `const { Request } = require(${JSON.stringify(zeromq)});
    const heart = new Request();
    heart.connect('tcp://127.0.0.1:${port}');
    (async () => {
      for (let beat = 0; ; beat += 1) {
        await heart.send('beat');
        await heart.receive();
        if (beat === 9) console.log('beating');
        const until = performance.now() + 0.2;
        while (performance.now() < until);
      }
    })();`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

describe('heartbeats while the kernel ends', () => {
  it('are no error of the notebook', async () => {
    const kernel = await startKernel({ env: { MB_KERNEL_ERRORS: lateErrors } });
    const connection = kernel.process.spawnargs.at(-1) ?? '';
    const heart = await flood(JSON.parse(readFileSync(connection, 'utf8')).hb_port);
    await kernel.run('1 + 1');
    expect(await kernel.shutdown()).toBe(0);
    heart.kill();
    expect(existsSync(lateErrors) ? readFileSync(lateErrors, 'utf8') : '').toBe('');
    await kernel.close();
  });
});
