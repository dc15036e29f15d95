import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProjectCopy, projectCopy } from '../support/project-copy.js';

let copy: ProjectCopy;
beforeAll(() => {
  copy = projectCopy();
});
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  copy.remove();
});

describe('npm run local-stripe', () => {
  it('serves the SDK until Ctrl-C, and says how to reach it', async () => {
    const program = join(copy.folder, '.build', 'commands', 'local-stripe.js');
    const child = spawn(process.execPath, [program, '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const lines: string[] = [];
    for await (const line of createInterface(child.stdout)) if (lines.push(line) === 2) break;
    const [, port = ''] = /port: (\d+)/.exec(lines[1] ?? '') ?? [];
    expect(lines).toEqual([
      `Local Stripe on http://127.0.0.1:${port}`,
      `  new Stripe('sk_test_local', { host: '127.0.0.1', port: ${port}, protocol: 'http' })`,
    ]);
    const stripe = new Stripe('sk_test_local', { host: '127.0.0.1', port: Number(port), protocol: 'http' });
    expect((await stripe.customers.create({ email: 'ada@example.com' })).email).toBe('ada@example.com');
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('ends with 2 and one sentence for a port that is none', async () => {
    expect(await copy.run('.build/commands/local-stripe.js', ['--port', '70000'])).toEqual({
      code: 2,
      printed: 'Cannot listen: --port must be 0 to 65535, current value is 70000\n',
    });
  });
});
