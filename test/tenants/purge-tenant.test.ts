import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { forgetCustomer } from '../../src/billing/forget-customer.js';
import { HANDLED_TYPES } from '../../src/billing/webhooks/handle-webhook.js';
import { WebhookQueue } from '../../src/billing/webhooks/webhook-queue.js';
import { makeCostInvoice } from '../../src/invoices/cost-invoice.js';
import { makePlanInvoice } from '../../src/invoices/plan-invoice.js';
import { seal } from '../../src/invoices/seal.js';
import { issueInvoice, readSnapshot } from '../../src/invoices/snapshot.js';
import { UsageTracker } from '../../src/metering/tracker.js';
import { changeTenantPlan } from '../../src/tenants/change-tenant-plan.js';
import { deleteTenant } from '../../src/tenants/delete-tenant.js';
import { type Forget, purgeDue, purgeTenant } from '../../src/tenants/purge-tenant.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { eventOf, storeBatch } from '../support/events.js';
import { everyStore, found } from './every-store.js';
import { failing, type TenantWorld, tenantWorld } from './tenant-world.js';

let engine: Embedded;
let world: TenantWorld;
beforeAll(async () => {
  engine = await openEmbedded();
  await engine.command(`
    CREATE TABLE profiles (tenant_id String, email String, company String, key_hash String)
    ENGINE = MergeTree ORDER BY tenant_id`);
});
afterAll(() => engine.close());

const KEY = 'mb_the-key-of-the-tenant';
const PERSON = { email: 'kaethe@kleinbetrieb.example', name: 'Kleinbetrieb Kaethe', phone: '+49 1234 5678' };
let tenantId: string;
let file: string;
let words: string[];
let count = 0;
/** The profile goes as a part of the onboarding takes it: by the tenant's id. */
const forgetProfile: Forget = async (whose) => {
  const params = { query_params: { whose } };
  await engine.clickhouse.command({
    query: 'DELETE FROM profiles WHERE tenant_id = {whose:String}',
    ...params,
  });
  return { lines: [{ store: 'ClickHouse', what: 'profile', fate: 'removed', why: 'e-mail, company, key' }] };
};
const parts = () => ({
  ...world.parts,
  forget: [forgetProfile, forgetCustomer(world.stripe, world.billing)],
});
const purge = () => purgeTenant(parts(), tenantId);
const stores = () =>
  everyStore({ ...engine, stripe: world.local, files: [file, join(engine.folder, `${tenantId}.events`)] });

/** A tenant that used the service in November, and of whom every store knows something. */
beforeEach(async () => {
  count += 1;
  tenantId = `tenant-${count}`;
  file = join(engine.folder, `${tenantId}.jsonl`);
  world = await tenantWorld(engine, { tenantId, card: 'pm_card_mastercard', stripe: { file } });
  const { customerId, stripe, billing } = world;
  await stripe.customers.update(customerId, PERSON);
  await stripe.customers.update(customerId, { description: 'Mutter von Kaethe', metadata: { note: 'x' } });
  const [card] = (await stripe.paymentMethods.list({ customer: customerId })).data;
  const keyHash = createHash('sha256').update(KEY).digest('hex');
  words = [...Object.values(PERSON), 'a@example.com', card?.id ?? '', card?.card?.fingerprint ?? '', keyHash];
  const profile = { tenant_id: tenantId, email: PERSON.email, company: PERSON.name, key_hash: keyHash };
  await engine.clickhouse.insert({ table: 'profiles', values: [profile], format: 'JSONEachRow' });
  await (engine.redis as Redis).hset(`meterbridge:signup:{${tenantId}}`, {
    email: PERSON.email,
    key: keyHash,
  });
  const text = `Dear ${PERSON.name}, your trial ends`;
  await world.dunning.tellOnce({ tenantId, about: 'x', topic: 'trial_reminder', text });
  await changeTenantPlan(world.parts, { tenantId, plan: 'pro' });
  const reason = `asked for by ${PERSON.email}`;
  await world.lifecycle.transition({ tenantId, event: 'suspend', by: 'support', reason });
  await world.lifecycle.transition({ tenantId, event: 'reactivate', by: 'support' });
  await storeBatch(engine.clickhouse, [eventOf({ tenantId })]);
  const queue = new WebhookQueue(engine.redis);
  onTestFinished(() => queue.close());
  for (const event of await world.events(...HANDLED_TYPES))
    await queue.add({ ...event, id: `${tenantId}:${event.id}`.replace(/:/g, '-') });
  const tracker = new UsageTracker(undefined, {
    fallbackFile: join(engine.folder, `${tenantId}.events`),
    writeAhead: true,
  });
  onTestFinished(() => tracker.close());
  tracker.track({ tenantId, model: 'gpt-4o', tokensInput: 1, tokensOutput: 1, timestamp: world.clock() });
  await tracker.durable();
  await world.advance('2025-12-05T00:00:00Z');
  for (const made of [makeCostInvoice, makePlanInvoice])
    await issueInvoice(engine.clickhouse, await made(engine.clickhouse, { tenantId, month: '2025-11' }), {
      issuedAt: world.clock(),
    });
  await deleteTenant(world.parts, { tenantId });
  await billing.createCustomer({ tenantId: `neighbour-${count}`, email: 'n@example.org', name: 'Neighbour' });
  await world.advance('2026-01-04T00:00:00Z');
});
afterEach(async () => {
  world.local.faults = () => undefined;
  await world.local.close();
});

describe('purgeTenant()', () => {
  it('leaves nothing personal in any store, and the invoices as they were', async () => {
    const before = await world.billing.invoicesOf(world.customerId);
    // The search finds what is there.
    expect(Object.keys(found(await stores(), words)).sort()).toEqual([...words].sort());

    const report = await purge();
    expect(report.isComplete).toBe(true);
    expect(await world.state()).toBe('purged');
    expect(found(await stores(), [...words, 'Kaethe', 'kleinbetrieb', KEY])).toEqual({});

    expect(await world.billing.invoicesOf(world.customerId)).toEqual(before);
    for (const made of [makeCostInvoice, makePlanInvoice]) {
      const { invoice, sha256 } = await made(engine.clickhouse, { tenantId, month: '2025-11' });
      const kept = await readSnapshot(engine.clickhouse, invoice);
      expect([kept?.sha256, seal(JSON.parse(kept?.json ?? '{}')).sha256]).toEqual([sha256, sha256]);
    }
    // Others are as they were.
    expect(JSON.stringify(await stores())).toContain('n@example.org');
  });

  it('says what went and what stays, with the reasons, and the same when it is asked again', async () => {
    const report = await purge();
    expect(report.lines.map(({ store, what, fate }) => `${store}: ${what} ${fate}`)).toEqual([
      'Redis: plan, standing and counts at the gate removed',
      'Redis: state in the lifecycle stays',
      'ClickHouse: messages of the dunning removed',
      'ClickHouse: reasons in the lifecycle log removed',
      'ClickHouse: lifecycle log stays',
      'ClickHouse: issued invoices and their hashes stays',
      'ClickHouse: usage events and rollups stays',
      'ClickHouse: terms and usage reports stays',
      'ClickHouse: profile removed',
      'Stripe: e-mail and name of the customer removed',
      'Stripe: cards removed',
      'Stripe: copies on invoices, payments and events removed',
      'Stripe: customer, subscriptions, invoices, payments stays',
    ]);
    expect(report.lines.every(({ why }) => why !== '')).toBe(true);
    expect(await purge()).toEqual(report);
  });

  it.each(['lost_request', 'lost_answer'] as const)(
    'goes on after it was stopped at any call, at Stripe by a %s',
    { timeout: 120_000 },
    async (fault) => {
      const redis = engine.redis as Redis;
      const stopped = async (stop: () => () => void) => {
        const mend = stop();
        await expect(purge()).rejects.toThrow();
        mend();
        expect(await world.state()).toBe('purging');
        await expect(deleteTenant(world.parts, { tenantId })).rejects.toMatchObject({ state: 'purging' });
      };
      const once = (spy: { mockRestore(): void }) => () => spy.mockRestore();
      await stopped(() => once(vi.spyOn(redis, 'del').mockRejectedValueOnce(new Error('killed'))));
      for (const nth of [0, 1, 2]) {
        await stopped(() => {
          const spy = vi.spyOn(engine.clickhouse, 'command');
          const { command } = Object.getPrototypeOf(engine.clickhouse);
          for (let done = 0; done < nth; done += 1)
            spy.mockImplementationOnce((given) => command.call(engine.clickhouse, given));
          spy.mockRejectedValueOnce(new Error('killed'));
          return once(spy);
        });
      }
      for (const path of [/detach$/, /customers/, /redaction_jobs$/, /customers/, /run$/])
        await stopped(() => failing(world, path, fault));
      expect(await purge()).toMatchObject({ isComplete: true });
      expect(await world.state()).toBe('purged');
    },
  );

  it('is refused before thirty days are over, and for who is not deleted', async () => {
    await expect(
      purgeTenant({ ...parts(), now: () => new Date('2026-01-03T23:59:59.999Z') }, tenantId),
    ).rejects.toThrow(`Cannot purge ${tenantId} before 2026-01-04`);
    const other = await tenantWorld(engine, { tenantId: `${tenantId}-b` });
    await expect(purgeTenant({ ...other.parts, forget: [] }, `${tenantId}-b`)).rejects.toMatchObject({
      state: 'active',
    });
  });

  it('counts the thirty days of a deletion that ClickHouse has not heard of', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const other = await tenantWorld(engine, { tenantId: `${tenantId}-c` });
    const away = vi.spyOn(engine.clickhouse, 'command').mockRejectedValueOnce(new Error('away'));
    await deleteTenant(other.parts, { tenantId: `${tenantId}-c` });
    away.mockRestore();
    const purged = purgeTenant({ ...other.parts, forget: [] }, `${tenantId}-c`);
    await expect(purged).rejects.toThrow(`Cannot purge ${tenantId}-c before 2025-12-15`);
    log.mockRestore();
  });

  /** Answers a call of the redaction jobs by something else. */
  const jobsAnswer = (path: RegExp, status: number, body: object) => {
    const handle = world.local.fetch;
    world.local.fetch = async (input, init) => {
      const request = new Request(input, init);
      return path.test(request.url) ? Response.json(body, { status }) : handle(request);
    };
    return [forgetCustomer(world.local.client(), world.billing)];
  };
  const COPIES = { store: 'Stripe', what: 'copies on invoices, payments and events', fate: 'stays' };

  it('says what stays at a Stripe without redaction jobs', async () => {
    const error = { type: 'invalid_request_error', message: 'Unrecognized request URL' };
    const forget = jobsAnswer(/redaction_jobs/, 404, { error });
    const report = await purgeTenant({ ...world.parts, forget }, tenantId);
    expect(report.isComplete).toBe(true);
    const why = 'the account has no redaction jobs: ask its support';
    expect(report.lines).toContainEqual({ ...COPIES, why });
  });

  it('is not complete before Stripe is', async () => {
    const forget = jobsAnswer(/run$/, 200, { id: 'prj_1', status: 'redacting' });
    const report = await purgeTenant({ ...world.parts, forget }, tenantId);
    expect(report.lines).toContainEqual({ ...COPIES, why: 'Stripe is at it' });
    expect([report.isComplete, await world.state()]).toEqual([false, 'purging']);
    expect((await purge()).isComplete).toBe(true);
    expect(await world.state()).toBe('purged');
  });
});

describe('purgeDue()', () => {
  it('purges who is due, once, and goes on with what was begun', async () => {
    const early = { ...parts(), now: () => new Date('2026-01-03T23:59:59.999Z') };
    const mine = (reports: { tenantId: string }[]) =>
      reports.filter((report) => report.tenantId === tenantId).length;
    expect(mine(await purgeDue(early))).toBe(0);
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const mend = failing(world, /detach$/);
    expect(mine(await purgeDue(parts()))).toBe(0);
    expect(log.mock.calls.flat().join()).toContain(`The purge of ${tenantId} waits: Stripe is not available`);
    log.mockRestore();
    mend();
    expect(mine(await purgeDue(parts()))).toBe(1);
    expect(mine(await purgeDue(parts()))).toBe(0);
    expect(await world.state()).toBe('purged');
  });
});
