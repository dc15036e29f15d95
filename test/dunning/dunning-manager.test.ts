import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { DunningManager } from '../../src/dunning/dunning-manager.js';
import type { Notice } from '../../src/notifier.js';
import { type BilledTenant, billedTenant, dunningDayAt, handlersOf } from '../support/billed-tenant.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { readStanding } from '../support/standing.js';

/** A tenant subscribes on 1 November; its card fails from 1 December on. */
let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());

let tenant: BilledTenant;
let dunning: DunningManager;
let told: Notice[];
beforeEach(async () => {
  await engine.command('DROP TABLE IF EXISTS tenant_ledger');
  await flush();
  tenant = await billedTenant(engine);
  tenant.failCard();
  ({ dunning, told } = tenant);
});

const flush = () => (engine.redis as unknown as { flushall(): Promise<void> }).flushall();
const check = async () => (await dunning.checkCustomer(tenant.customerId))?.actions;
const standing = () => readStanding(engine.redis, 'acme-corp');
const latest = async () =>
  (await tenant.stripe.invoices.list({ customer: tenant.customerId, limit: 1 })).data[0];
const LADDER = ['reminder_sent', 'warning_sent', 'rate_limit_reduced', 'service_suspended'];

describe('an invoice that is not paid', () => {
  it('brings a reminder, a warning, reduced limits and suspension, each once', async () => {
    expect(await check()).toEqual([]);
    const seen: [number, unknown, string][] = [];
    for (let day = 1; day <= 10; day += 1) {
      await tenant.advance(dunningDayAt(day));
      const actions = await check();
      expect(await check()).toEqual([]);
      if (actions?.length) seen.push([day, actions, await standing()]);
    }
    expect(seen).toEqual([
      [1, ['reminder_sent'], 'good'],
      [4, ['warning_sent'], 'good'],
      [7, ['rate_limit_reduced'], 'reduced'],
      [8, ['service_suspended'], 'suspended'],
    ]);
    expect(told.map(({ topic, text }) => [topic, text.includes('$29.00')])).toEqual([
      ['reminder_sent', true],
      ['warning_sent', true],
      ['rate_limit_reduced', true],
      ['service_suspended', true],
    ]);
  });

  it('is tried again on days 3, 7 and 14, and the ladder does not start anew', async () => {
    await tenant.advance(dunningDayAt(16));
    expect((await latest())?.attempt_count).toBe(4);
    expect(await check()).toEqual(LADDER);
  });

  it.each([2, 5, 7, 9, 14])('paid on day %i gives all back at once', async (day) => {
    for (let today = 1; today <= day; today += 1) {
      await tenant.advance(dunningDayAt(today));
      await check();
    }
    await tenant.pay();
    expect(await check()).toEqual(['reactivated']);
    expect(await standing()).toBe('good');
    expect(await check()).toEqual([]);
    expect(told.at(-1)?.text).toBe('Thank you, all is paid; your limits are as before');
    await tenant.advance(dunningDayAt(day + 1));
    expect(await check()).toEqual([]);
  });

  it('is known after a restart, and after a wiped Redis, and nobody is told twice', async () => {
    for (const day of [1, 4, 7, 8]) {
      await tenant.advance(dunningDayAt(day));
      await check();
    }
    await flush();
    const { local, clock: now } = tenant;
    ({ dunning } = await handlersOf(local, { ...engine, told, now }));
    expect(await check()).toEqual([]);
    expect(await standing()).toBe('suspended');
    expect(told).toHaveLength(4);
  });

  it.each([
    [5, 2, '$29.00 are still open; your limits are halved on 2025-12-07'],
    [9, 4, '$29.00 are still open; the service is suspended until they are paid'],
  ])(
    'that nobody noticed until day %i brings all %i steps, and the last one is told',
    async (day, count, text) => {
      await tenant.advance(dunningDayAt(day));
      expect(await check()).toEqual(LADDER.slice(0, count));
      expect(told).toMatchObject([{ topic: LADDER[count - 1], text }]);
      expect(await check()).toEqual([]);
      expect(told).toHaveLength(1);
    },
  );
});

describe('a message', () => {
  /** A process of its own whose notifier does what it is told. */
  const managerWith = (notify: (notice: Notice) => Promise<void>) =>
    new DunningManager(tenant.stripe, {
      ...engine,
      ledger: tenant.ledger,
      notifier: { notify },
      now: tenant.clock,
    });

  it('that cannot be sent does not hold up what it tells of, and is sent later', async () => {
    await tenant.advance(dunningDayAt(8));
    const failing = managerWith(() => Promise.reject(new Error('the mail is down')));
    await expect(failing.checkCustomer(tenant.customerId)).rejects.toThrow('the mail is down');
    expect([await standing(), told]).toEqual(['suspended', []]);
    expect(await check()).toEqual([]);
    expect(tenant.topics()).toEqual(['service_suspended']);
    await tenant.pay();
    await expect(failing.checkCustomer(tenant.customerId)).rejects.toThrow('the mail is down');
    expect(await standing()).toBe('good');
    // Nobody is chased any more, and the thanks are not forgotten.
    expect(await dunning.checkAll()).toEqual([]);
    expect(tenant.topics()).toEqual(['service_suspended', 'reactivated']);
  });

  it('that waited while later steps came is not sent any more', async () => {
    const failing = managerWith(() => Promise.reject(new Error('the mail is down')));
    for (const day of [1, 4, 7]) {
      await tenant.advance(dunningDayAt(day));
      await expect(failing.checkCustomer(tenant.customerId)).rejects.toThrow('the mail is down');
    }
    expect(await check()).toEqual([]);
    expect(tenant.topics()).toEqual(['rate_limit_reduced']);
  });

  it('that its sender could not mark any more comes again under its id', async () => {
    await tenant.advance(dunningDayAt(1));
    const sent: Notice[] = [];
    const dying = managerWith(async (notice) => {
      sent.push(notice);
      throw new Error('killed');
    });
    await expect(dying.checkCustomer(tenant.customerId)).rejects.toThrow('killed');
    await check();
    expect([...sent, ...told].map(({ id }) => id)).toEqual([
      'acme-corp:1:reminder_sent',
      'acme-corp:1:reminder_sent',
    ]);
  });

  it('before one that cannot be sent is not sent again', async () => {
    await tenant.advance(dunningDayAt(1));
    const flaky = managerWith(async (notice) => {
      if (notice.topic === 'reminder_sent') throw new Error('the mail is down');
      told.push(notice);
    });
    const message = { tenantId: 'acme-corp', about: 'sub_1', topic: 'trial_reminder', text: 'x' };
    await expect(flaky.checkCustomer(tenant.customerId)).rejects.toThrow('the mail is down');
    await expect(flaky.tellOnce(message)).rejects.toThrow('the mail is down');
    await check();
    expect(tenant.topics()).toEqual(['reminder_sent', 'trial_reminder']);
  });
});

describe('two unpaid invoices', () => {
  it('are told of by their sum, since both are to be paid', async () => {
    await tenant.advance(dunningDayAt(3));
    const { subscriptionId } = tenant;
    await tenant.billing.changePlan({ subscriptionId, planType: 'pro' });
    await tenant.advance(dunningDayAt(8));
    const open = await tenant.stripe.invoices.list({ customer: tenant.customerId, status: 'open' });
    expect(open.data.map(({ amount_remaining }) => amount_remaining)).toEqual([6548, 2900]);
    await check();
    expect(tenant.told.at(-1)?.text).toBe(
      '$94.48 are still open; the service is suspended until they are paid',
    );
  });

  it('count by the older one; when that is paid the tenant stands by the other', async () => {
    await tenant.advance(dunningDayAt(32));
    expect(await check()).toEqual(LADDER);
    const open = await tenant.stripe.invoices.list({ customer: tenant.customerId, status: 'open' });
    const drafts = await tenant.stripe.invoices.list({ customer: tenant.customerId, status: 'draft' });
    const [newer] = drafts.data;
    const finalized = await tenant.stripe.invoices.finalizeInvoice(newer?.id ?? '');
    await tenant.stripe.invoices.pay(finalized.id ?? '').catch(() => undefined);
    await tenant.stripe.invoices.pay(open.data[0]?.id ?? '', { paid_out_of_band: true });
    expect(await check()).toEqual(['reminder_sent']);
    expect(await standing()).toBe('good');
    await flush();
    expect((await tenant.ledger.of('acme-corp')).at(-1)?.standing).toBe('good');
    await tenant.pay();
    expect(await check()).toEqual(['reactivated']);
  });
});

describe('checkAll()', () => {
  it('finds those who owe, and those who have paid since', async () => {
    expect(await dunning.checkAll()).toEqual([]);
    await tenant.advance(dunningDayAt(8));
    expect((await dunning.checkAll()).map(({ actions }) => actions)).toEqual([LADDER]);
    expect(await dunning.checkAll()).toEqual([]);
    await tenant.pay();
    expect((await dunning.checkAll()).map(({ actions }) => actions)).toEqual([['reactivated']]);
    expect(await dunning.checkAll()).toEqual([]);
  });

  it('goes on with the others when one fails', async () => {
    await tenant.advance(dunningDayAt(1));
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    await tenant.ledger.keep([
      {
        tenantId: 'gone',
        number: 1,
        action: 'reminder_sent',
        about: 'in_of_another_account',
        standing: 'good',
        at: tenant.clock(),
        text: 'x',
        told: true,
      },
    ]);
    expect((await dunning.checkAll()).map(({ tenantId }) => tenantId)).toEqual(['acme-corp']);
    expect(log.mock.calls.flat().join()).toContain(
      'Dunning for in_of_another_account waits: No such invoice',
    );
    log.mockRestore();
  });
});
