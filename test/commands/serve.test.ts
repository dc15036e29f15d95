import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProjectCopy, projectCopy } from '../support/project-copy.js';
import { processesOf } from '../support/services-child.js';

let copy: ProjectCopy;
beforeAll(() => {
  copy = projectCopy();
});
const children: ChildProcess[] = [];
afterAll(() => {
  // A test that failed must not leave its server behind.
  for (const child of children) child.kill('SIGKILL');
  copy.remove();
});

/** Starts the server and reads its address and three keys. */
async function serve() {
  const program = join(copy.folder, '.build', 'commands', 'serve.js');
  const env = { PATH: process.env.PATH, MB_EVENTS: '105000' };
  const child = spawn(process.execPath, [program, '--port', '0'], {
    cwd: copy.folder,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const lines: string[] = [];
  for await (const line of createInterface(child.stdout)) if (lines.push(line) === 7) break;
  const [url = ''] = /http:\S+/.exec(lines.find((line) => line.startsWith('Listening')) ?? '') ?? [];
  const keys = new Map(
    lines.filter((line) => line.startsWith('  ')).map((line) => line.trim().split(': ') as [string, string]),
  );
  return { child, url, keys };
}

describe('npm run serve', () => {
  it('serves its tenants, keeps what they used, and ends on Ctrl-C with nothing left behind', async () => {
    const { child, url, keys } = await serve();
    expect([...keys.keys()]).toEqual(['acme-corp', 'beta-inc', 'charlie-co']);
    const authorization = `Bearer ${keys.get('acme-corp')}`;
    const today = new Date().toISOString().slice(0, 10);
    const asked = await fetch(`${url}/query`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: '{"question":"What is a meter?"}',
    });
    expect(asked.status).toBe(200);
    const usage = async () => {
      const path = `/api/tenants/acme-corp/usage?start_date=${today}&end_date=${today}`;
      const response = await fetch(url + path, { headers: { authorization } });
      return ((await response.json()) as { totals: { queries: number } }).totals.queries;
    };
    await expect.poll(usage, { timeout: 10_000 }).toBe(1);
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
    await expect.poll(() => processesOf(copy.folder), { timeout: 10_000 }).toEqual([]);
  });

  it.each([
    ['--port', '70000', 'Cannot listen: --port must be 0 to 65535, current value is 70000\n'],
    ['--port', 'http', 'Cannot listen: --port must be 0 to 65535, current value is http\n'],
  ])('ends with 2 and one sentence for %s %s', async (option, value, sentence) => {
    expect(await copy.run('.build/commands/serve.js', [option, value])).toEqual({
      code: 2,
      printed: sentence,
    });
  });

  it('says so and ends, with nothing left behind, when events can go nowhere', async () => {
    const file = join(copy.folder, '.data', 'serve', 'fallback.jsonl');
    rmSync(file, { force: true });
    mkdirSync(file, { recursive: true });
    const { child, url, keys } = await serve();
    const headers = { authorization: `Bearer ${keys.get('acme-corp')}`, 'content-type': 'application/json' };
    const body = '{"question":"What is a meter?"}';
    expect((await fetch(`${url}/query`, { method: 'POST', headers, body })).status).toBe(200);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([2, null]);
    await expect.poll(() => processesOf(copy.folder), { timeout: 10_000 }).toEqual([]);
  });
});
