import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { consoleNotifier } from '../../src/notifier.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import {
  failedStep,
  isActive,
  type OnboardingBench,
  onboardingBench,
  type SignupAnswer,
  signupOf,
} from '../support/onboarding.js';
import { problemOf, testApp } from '../support/test-app.js';

let engine: Embedded;
let bench: OnboardingBench;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());

/** All that is printed, by whatever way. */
let printed: string[];
beforeEach(async () => {
  printed = [];
  const keep = (...parts: unknown[]) => {
    printed.push(
      parts.map((part) => (part instanceof Error ? `${part.stack}` : JSON.stringify(part))).join(' '),
    );
    return true;
  };
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const)
    vi.spyOn(console, method).mockImplementation(keep);
  for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, 'write').mockImplementation(keep);
  bench = await onboardingBench(engine, { notifier: consoleNotifier, queue: { backoffMs: 1 } });
});
afterEach(async () => {
  await bench.close();
  vi.restoreAllMocks();
});

/** What Redis was ever told. */
function toldRedis(): string {
  const files = readdirSync(engine.folder, { recursive: true, encoding: 'utf8' });
  const logs = files.filter((name) => name.endsWith('.aof'));
  return logs.map((name) => readFileSync(join(engine.folder, name), 'latin1')).join('');
}

describe('POST /signup', () => {
  it('prints and puts into Redis no key, no e-mail and no card, whatever fails', async () => {
    const { post, signUp, reaches, ask, onboarding } = bench;
    const good = await signUp(signupOf('Acme Corp'));
    await reaches(good, isActive);
    await ask(good.api_key);
    const declined = signupOf('Beta Inc', { payment_method: 'pm_card_chargeDeclinedInsufficientFunds' });
    const bad = await signUp(declined);
    await reaches(bad, (status) => failedStep(status) !== undefined);
    const unknown = await signUp(signupOf('Charlie Co', { payment_method: 'pm_nobody_has_this' }));
    await reaches(unknown, (status) => failedStep(status) !== undefined);
    await engine.command('RENAME TABLE tenant_profiles TO away');
    const lost = await post('/signup', signupOf('Delta LLC'));
    expect(await problemOf(lost)).toEqual([503, 'The signup could not be kept; send it again']);
    expect(lost.headers.get('retry-after')).toBe('5');
    await onboarding.resume().catch(() => undefined);
    await engine.command('RENAME TABLE away TO tenant_profiles');
    await post('/signup', signupOf('Acme Corp'));
    await post('/signup', declined, good.api_key);
    await post('/signup', { ...declined, plan: 'free' });
    const again = await signUp(signupOf('Delta LLC'));
    await reaches(again, isActive);

    const everything = printed.join('\n') + toldRedis();
    expect(printed.join('\n')).toContain('[welcome] acme-corp: Welcome!');
    expect(printed.join('\n')).toContain(
      'The onboarding of beta-inc failed at its step card: insufficient_funds',
    );
    expect(printed.join('\n')).toContain('A signup failed: ');
    expect(toldRedis()).toContain('beta-inc.card');
    for (const secret of ['mb_', 'example.com', 'pm_card', 'pm_nobody', 'Delta LLC'])
      expect([secret, everything.includes(secret)]).toEqual([secret, false]);
    for (const { api_key } of [good, bad, unknown, again]) expect(everything).not.toContain(api_key.slice(3));
  });

  it('shows its key once, and lets nobody store the answer', async () => {
    const response = await bench.post('/signup', signupOf('Echo Ltd'));
    expect(response.headers.get('cache-control')).toBe('no-store');
    const answer = (await response.json()) as SignupAnswer;
    const status = await bench.reaches(answer, isActive);
    expect(JSON.stringify(status)).not.toMatch(/mb_|@|pm_/);
    const again = await bench.post('/signup', signupOf('Echo Ltd'), answer.api_key);
    expect(await problemOf(again)).toEqual([
      409,
      expect.stringContaining('Cannot retry echo-ltd: it is active at version 3'),
    ]);
  });

  it('takes with a key what the first one had, and nothing else', async () => {
    const card = { payment_method: 'pm_card_chargeDeclinedInsufficientFunds' };
    const answer = await bench.signUp(signupOf('Foxtrot AG', card));
    await bench.reaches(answer, (status) => failedStep(status) !== undefined);
    for (const change of [{ plan: 'pro' }, { email: 'eve@example.com' }]) {
      const response = await bench.post('/signup', signupOf('Foxtrot AG', change), answer.api_key);
      expect(await problemOf(response)).toEqual([
        400,
        `Cannot accept signup: ${Object.keys(change)[0]} must be that of the first signup`,
      ]);
    }
    expect(await problemOf(await bench.post('/signup', signupOf('Golf SA'), answer.api_key))).toEqual([
      403,
      'A key opens its own tenant only',
    ]);
  });
});

describe('GET /api/tenants/{id}', () => {
  it('tells a tenant that never signed up here its plan and state', async () => {
    const { keys, get } = bench;
    await engine.command(`
      INSERT INTO tenant_quotas VALUES ('old-corp', toDateTime64('2025-11-01 00:00:00', 3, 'UTC'), 'pro', 'active', NULL)`);
    const key = await keys.issue('old-corp');
    expect(await (await get('/api/tenants/old-corp', key)).json()).toEqual({
      tenant_id: 'old-corp',
      plan: 'pro',
      state: 'active',
      since: '2025-11-01T00:00:00.000Z',
      reason: 'it never signed up here, and its terms are kept by the operator',
      steps: [],
    });
    const other = await keys.issue('nobody');
    expect(await problemOf(await get('/api/tenants/nobody', other))).toEqual([
      404,
      'Nothing is known of nobody',
    ]);
  });

  it('is not there without an onboarding, and neither is the signup', async () => {
    const { app, get } = testApp();
    expect((await problemOf(await get('/api/tenants/acme-corp')))[0]).toBe(404);
    expect((await problemOf(await app.request('/signup', { method: 'POST', body: '{}' })))[0]).toBe(404);
  });

  it('lets routes of others be added, behind the key of their tenant', async () => {
    const { app, key } = testApp({
      tenantRoutes: (routes) =>
        routes.post('/api/tenants/:id/plan', (context) => context.json(context.get('holder'))),
    });
    const post = async (path: string, sent: string) =>
      app.request(path, { method: 'POST', headers: { authorization: `Bearer ${sent}` } });
    expect((await problemOf(await post('/api/tenants/acme-corp/plan', 'mb_wrong')))[0]).toBe(401);
    expect((await problemOf(await post('/api/tenants/beta-inc/plan', key)))[0]).toBe(403);
    expect(await (await post('/api/tenants/acme-corp/plan', key)).json()).toEqual({
      tenantId: 'acme-corp',
      enabled: true,
    });
  });
});

describe('a key', () => {
  it('that nobody can look up is answered with 503', async () => {
    const { post } = testApp({ keys: { holderOf: () => Promise.reject(new Error('both are away')) } });
    expect(await problemOf(await post('{"question":"x"}'))).toEqual([
      503,
      'Keys cannot be looked up right now',
    ]);
  });
});
