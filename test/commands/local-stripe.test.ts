import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
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

/** Starts the command on a free port. */
async function serve(...args: string[]) {
  const program = join(copy.folder, '.build', 'commands', 'local-stripe.js');
  const child = spawn(process.execPath, [program, '--port', '0', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const lines: string[] = [];
  for await (const line of createInterface(child.stdout)) if (lines.push(line) === 2) break;
  const [, port = ''] = /port: (\d+)/.exec(lines[1] ?? '') ?? [];
  const stripe = new Stripe('sk_test_local', { host: '127.0.0.1', port: Number(port), protocol: 'http' });
  return { child, lines, port, stripe };
}

describe('npm run local-stripe', () => {
  it('serves the SDK until Ctrl-C, and says how to reach it', async () => {
    const { child, lines, port, stripe } = await serve();
    expect(lines).toEqual([
      `Local Stripe on http://127.0.0.1:${port}`,
      `  new Stripe('sk_test_local', { host: '127.0.0.1', port: ${port}, protocol: 'http' })`,
    ]);
    expect((await stripe.customers.create({ email: 'ada@example.com' })).email).toBe('ada@example.com');
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('says which port is taken, and what takes a free one', async () => {
    const { child, port } = await serve();
    expect(await copy.run('.build/commands/local-stripe.js', ['--port', port])).toEqual({
      code: 2,
      printed: `Cannot listen on port ${port}: listen EADDRINUSE: address already in use 127.0.0.1:${port}; this takes a free one: npm run local-stripe -- --port 0\n`,
    });
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('keeps its state in a file', async () => {
    const file = join(copy.folder, 'stripe.jsonl');
    for (const count of [1, 2]) {
      const { child, stripe } = await serve('--file', file);
      await stripe.customers.create({ email: 'ada@example.com' });
      expect((await stripe.customers.list()).data).toHaveLength(count);
      if (count === 1) {
        const second = await copy.run('.build/commands/local-stripe.js', ['--port', '0', '--file', file]);
        expect(second.code).toBe(2);
        expect(second.printed).toContain(`Cannot open ${file}: process ${child.pid} has it open`);
      }
      child.kill('SIGINT');
      expect(await once(child, 'exit')).toEqual([0, null]);
    }
    expect(existsSync(`${file}.lock`)).toBe(false);
  });

  it.each([
    [['--port', '70000'], 'Cannot listen: --port must be 0 to 65535, current value is 70000\n'],
    [['--port', '0', '--host', ''], 'Cannot listen: --host must be an address, and is empty\n'],
  ])('ends with 2 and one sentence for %j', async (args, printed) => {
    expect(await copy.run('.build/commands/local-stripe.js', args)).toEqual({ code: 2, printed });
  });
});
