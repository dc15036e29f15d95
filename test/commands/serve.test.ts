import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createLocalStripe } from '../../src/local-stripe/create-local-stripe.js';
import { recordTenants } from '../../src/metering/tenants.js';
import { UsageTracker } from '../../src/metering/tracker.js';
import { listen } from '../../src/server/listen.js';
import { openFronted } from '../support/fronted.js';
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

/** Starts the server and reads what it prints: the last lines are as many keys. */
async function serve(environment: Record<string, string> = {}, keyCount = 3) {
  const program = join(copy.folder, '.build', 'commands', 'serve.js');
  const env = { PATH: process.env.PATH, MB_EVENTS: '105000', ...environment };
  const child = spawn(process.execPath, [program, '--port', '0'], {
    cwd: copy.folder,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const lines: string[] = [];
  const isKey = (line: string) => line.startsWith('  ');
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    if (lines.filter(isKey).length === keyCount) break;
  }
  const [url = ''] = /http:\S+/.exec(lines.find((line) => line.startsWith('Listening')) ?? '') ?? [];
  const keys = new Map(lines.filter(isKey).map((line) => line.trim().split(': ') as [string, string]));
  return { child, url, keys, lines };
}

describe('npm run serve', () => {
  it('serves its tenants, keeps what they used, and ends on Ctrl-C with nothing left behind', async () => {
    const { child, url, keys, lines } = await serve();
    expect([...keys.keys()]).toEqual(['acme-corp', 'beta-inc', 'charlie-co']);
    expect(lines.slice(0, -3)).toEqual([
      'ClickHouse: embedded',
      'Redis: embedded',
      'Stripe: embedded',
      `Listening on ${url}`,
      `Webhooks on ${url}/webhooks/stripe: signatures are checked with the secret that the local Stripe gave`,
      'Rounds, now and every hour: usage report, reminders, dunning',
    ]);
    expect(await ask(url, keys)).toBe(200);
    await expect.poll(() => queriesToday(url, keys, 'acme-corp'), { timeout: 10_000 }).toBe(1);
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
    await expect.poll(() => processesOf(copy.folder), { timeout: 10_000 }).toEqual([]);
  });

  it('ends with 2 and one sentence for what is no address', async () => {
    const refused = {
      'Cannot listen: --port must be 0 to 65535, current value is 70000\n': ['--port', '70000'],
      'Cannot listen: --port must be 0 to 65535, current value is http\n': ['--port', 'http'],
      'Cannot listen: --host must be an address, and is empty\n': ['--host', ''],
    };
    const starts = Object.values(refused).map((args) => ({ args }));
    expect(await copy.runEach('.build/commands/serve.js', starts)).toEqual(
      Object.keys(refused).map((printed) => ({ code: 2, printed })),
    );
  });

  it('ends with 2 and one sentence where its port is taken, with nothing left behind', async () => {
    const other = await listen({ fetch: () => new Response() });
    onTestFinished(() => other.close());
    const { port } = new URL(other.url);
    expect(await copy.run('.build/commands/serve.js', ['--port', port])).toEqual({
      code: 2,
      printed:
        `Cannot listen on port ${port}: listen EADDRINUSE: address already in use 127.0.0.1:${port}; ` +
        'this takes a free one: npm run serve -- --port 0\n',
    });
    await expect.poll(() => processesOf(copy.folder), { timeout: 10_000 }).toEqual([]);
  });

  it('stores events without the fallback file where the disk refuses it, and /health says so', async () => {
    const { file, mend } = refuseFile();
    const { child, url, keys } = await serve();
    expect(await ask(url, keys)).toBe(200);
    const health = await fetch(`${url}/health`);
    expect([health.status, await health.json()]).toMatchObject([
      503,
      {
        status: 'degraded',
        warnings: [
          `the fallback file cannot be written: EISDIR: illegal operation on a directory, open '${file}'`,
        ],
      },
    ]);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    mend();
  });

  it('says so and ends, with nothing left behind, when events can go nowhere', async () => {
    const { mend } = refuseFile();
    const { child, url, keys, lines } = await serve({ OFFLINE: 'true' }, 1);
    expect(lines.slice(0, -1)).toEqual([
      'ClickHouse: off (OFFLINE=true)',
      'Redis: off (OFFLINE=true)',
      'Stripe: off (OFFLINE=true)',
      `Listening on ${url}`,
      'Webhooks and rounds are off: they need ClickHouse, Redis and Stripe',
    ]);
    expect(await ask(url, keys)).toBe(200);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([2, null]);
    await expect.poll(() => processesOf(copy.folder), { timeout: 10_000 }).toEqual([]);
    mend();
  });

  it.each([
    ['whsec_of_the_tests', 'signatures are checked with STRIPE_WEBHOOK_SECRET'],
    ['', 'all are refused, because STRIPE_WEBHOOK_SECRET is not set'],
  ])('says what a Stripe at an address needs, where its secret is "%s"', async (secret, sentence) => {
    const stripe = await listen(createLocalStripe(), {});
    onTestFinished(() => stripe.close());
    const environment = {
      STRIPE_URL: stripe.url,
      STRIPE_API_KEY: 'sk_test_local',
      STRIPE_WEBHOOK_SECRET: secret,
    };
    const { child, url, lines } = await serve(environment);
    expect(lines.slice(2, -3)).toEqual([
      'Stripe: configured',
      `Listening on ${url}`,
      `Webhooks on ${url}/webhooks/stripe: ${sentence}`,
      'Rounds, now and every hour: usage report, reminders, dunning',
    ]);
    expect((await fetch(`${url}/webhooks/stripe`, { method: 'POST' })).status).toBe(secret ? 400 : 503);
    child.kill('SIGINT');
    await once(child, 'exit');
  });

  it('sends what another server of the folder accepted and could not send', async () => {
    const fallbackFile = join(copy.folder, '.data', 'serve.2', 'fallback.jsonl');
    const other = new UsageTracker(undefined, { fallbackFile });
    other.track({ tenantId: 'beta-inc' });
    await other.close();
    const { child, url, keys, lines } = await serve();
    expect(lines[0]).toBe(`Sent 1 events that an earlier server left in ${fallbackFile}; 0 wait there`);
    expect(await queriesToday(url, keys, 'beta-inc')).toBe(1);
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});

describe('npm run serve, killed', () => {
  it('has what it answered while ClickHouse hung when it starts again', async () => {
    const engine = await openFronted();
    try {
      await recordTenants(engine.clickhouse, [
        { tenantId: 'acme-corp', plan: 'starter', state: 'active', effectiveFrom: new Date('2025-01-01') },
      ]);
      const environment = { CLICKHOUSE_URL: engine.front.url, CLICKHOUSE_DB: 'default' };
      const { child, url, keys } = await serve(environment, 1);
      engine.front.faults.push('refuse', 'slow', 'slow', 'slow');
      for (let time = 1; time <= 3; time += 1) expect(await ask(url, keys)).toBe(200);
      child.kill('SIGKILL');
      await once(child, 'exit');
      engine.front.faults.length = 0;
      engine.front.release();
      const next = await serve(environment, 1);
      await expect.poll(() => queriesToday(next.url, next.keys, 'acme-corp'), { timeout: 10_000 }).toBe(3);
      next.child.kill('SIGINT');
      await once(next.child, 'exit');
    } finally {
      await engine.close();
    }
  });
});

/** Puts a folder where the fallback file should be. */
function refuseFile() {
  const file = join(copy.folder, '.data', 'serve', 'fallback.jsonl');
  rmSync(file, { force: true });
  mkdirSync(file, { recursive: true });
  return { file, mend: () => rmSync(file, { recursive: true }) };
}

async function ask(url: string, keys: Map<string, string>): Promise<number> {
  const headers = { authorization: `Bearer ${keys.get('acme-corp')}`, 'content-type': 'application/json' };
  const body = '{"question":"What is a meter?"}';
  return (await fetch(`${url}/query`, { method: 'POST', headers, body })).status;
}

async function queriesToday(url: string, keys: Map<string, string>, tenantId: string): Promise<number> {
  const today = new Date().toISOString().slice(0, 10);
  const path = `/api/tenants/${tenantId}/usage?start_date=${today}&end_date=${today}`;
  const response = await fetch(url + path, { headers: { authorization: `Bearer ${keys.get(tenantId)}` } });
  return ((await response.json()) as { totals: { queries: number } }).totals.queries;
}
