import { describe, expect, it } from 'vitest';
import { idOf } from '../support/events.js';
import { CHECKS, type LoadedRun } from './checks.js';

/** A starter with one query left, that asks three times, and a pro that asks twice. */
function soundRun(): LoadedRun {
  const event = (tenantId: string, number: number) => ({
    tenantId,
    eventId: idOf(number),
    day: '2025-11-15',
  });
  const answer = { sentAt: 0, ms: 5 };
  const counts = { 'acme-corp': 3, 'beta-inc': 2 };
  return {
    tenants: [
      { tenantId: 'acme-corp', plan: 'starter', quota: 2, earlier: [idOf(1)], unstored: 1 },
      { tenantId: 'beta-inc', plan: 'pro', quota: 20_000, earlier: [], unstored: 2 },
    ],
    answers: [
      { ...answer, tenantId: 'acme-corp', status: 200, eventId: idOf(2) },
      { ...answer, tenantId: 'acme-corp', status: 200, eventId: idOf(3) },
      { ...answer, tenantId: 'acme-corp', status: 429 },
      { ...answer, tenantId: 'beta-inc', status: 200, eventId: idOf(4) },
      { sentAt: 0, tenantId: 'beta-inc' },
    ],
    stored: [
      ...[1, 2, 3].map((number) => event('acme-corp', number)),
      ...[4, 5].map((number) => event('beta-inc', number)),
    ],
    rollups: { usage_hourly: counts, usage_daily: counts },
    told: counts,
    askedForOthers: [403, 403],
    invoiced: counts,
    metered: counts,
    signups: [{ tenantId: 'new-co', state: 'active' }],
  };
}

/** The lines of the checks that turn red. */
const redLines = (run: LoadedRun) => Object.keys(CHECKS).filter((line) => CHECKS[line]?.(run).length);
const [COUNTED, OWN, QUOTA, BILLED, STATUSES, SIGNUPS] = Object.keys(CHECKS);

const lost = ({ stored, ...run }: LoadedRun) => ({
  ...run,
  stored: stored.slice(0, -2).concat(stored.slice(-1)),
});
const twice = ({ stored, ...run }: LoadedRun) => ({ ...run, stored: stored.concat(stored.slice(1, 2)) });
const unasked = ({ stored, ...run }: LoadedRun) => ({
  ...run,
  stored: [...stored, { tenantId: 'beta-inc', eventId: idOf(9), day: '2025-11-15' }],
});
const handedOver = ({ stored, ...run }: LoadedRun) => ({
  ...run,
  stored: stored.map((one) => (one.eventId === idOf(2) ? { ...one, tenantId: 'beta-inc' } : one)),
});
const without = (tenantId: string, counts: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(counts).filter(([id]) => id !== tenantId));

describe('the checks of a run under load', () => {
  it('are green when all is well, also where an answer was cut off', () => {
    expect(redLines(soundRun())).toEqual([]);
    const { stored, ...run } = soundRun();
    const fewer = { 'acme-corp': 3, 'beta-inc': 1 };
    const counts = { told: fewer, invoiced: fewer, metered: fewer };
    const rollups = { usage_hourly: fewer, usage_daily: fewer };
    expect(redLines({ ...run, ...counts, rollups, stored: stored.slice(0, -1) })).toEqual([]);
  });

  it.each<[what: string, falsify: (run: LoadedRun) => LoadedRun, red: (string | undefined)[], says: RegExp]>([
    ['an event is lost', lost, [COUNTED, OWN, BILLED], /000004 was answered and is lost/],
    ['an event is stored twice', twice, [COUNTED], /000002 is stored 2 times/],
    ['an event is there that nobody asked for', unasked, [COUNTED, OWN, BILLED], /2 events have no answer/],
    [
      'two requests got one event',
      (run) => ({ ...run, answers: run.answers.concat(run.answers.slice(0, 1)) }),
      [COUNTED],
      /000002 was given to two requests/,
    ],
    [
      'a rollup counts one less',
      (run) => ({ ...run, rollups: { ...run.rollups, usage_daily: { ...run.told, 'beta-inc': 1 } } }),
      [COUNTED],
      /usage_daily, beta-inc: 1 queries instead of 2/,
    ],
    [
      'an event is handed to another tenant',
      handedOver,
      [COUNTED, OWN, BILLED],
      /000002 was asked by acme-corp and is beta-inc's/,
    ],
    [
      'a tenant reads another usage than its own',
      (run) => ({ ...run, told: { 'acme-corp': 2, 'beta-inc': 3 } }),
      [OWN],
      /GET usage, acme-corp: 2 queries instead of 3/,
    ],
    [
      "a key opens another tenant's usage",
      (run) => ({ ...run, askedForOthers: [403, 200] }),
      [OWN],
      /another tenant was answered with 200/,
    ],
    [
      'more passes than quota + U',
      (run) => ({ ...run, tenants: run.tenants.map((tenant) => ({ ...tenant, unstored: 0 })) }),
      [QUOTA],
      /acme-corp on 2025-11-15 used 3, with a quota of 2 and 0 not yet stored/,
    ],
    [
      'a tenant is refused before its quota',
      (run) => ({ ...run, tenants: run.tenants.map((tenant) => ({ ...tenant, quota: 20_000 })) }),
      [QUOTA],
      /acme-corp was refused at 3 of 20000/,
    ],
    [
      'an invoice has one less',
      (run) => ({ ...run, invoiced: { ...run.invoiced, 'acme-corp': 2 } }),
      [BILLED],
      /plan invoice, acme-corp: 2 queries instead of 3/,
    ],
    [
      'a tenant has no meter events',
      (run) => ({ ...run, metered: without('beta-inc', run.metered) }),
      [BILLED],
      /Stripe's meter, beta-inc: 0 queries instead of 2/,
    ],
    [
      'an answer is a 500',
      (run) => ({ ...run, answers: [...run.answers, { tenantId: 'beta-inc', sentAt: 0, status: 500 }] }),
      [STATUSES],
      /1 answers were 500/,
    ],
    [
      'a signup is not done',
      (run) => ({ ...run, signups: [{ tenantId: 'new-co', state: 'provisioning' }] }),
      [SIGNUPS],
      /new-co is provisioning/,
    ],
  ])('turn red when %s', (_, falsify, red, says) => {
    const run = falsify(soundRun());
    expect(redLines(run)).toEqual(red);
    expect(red.flatMap((line) => CHECKS[line ?? '']?.(run) ?? []).join('\n')).toMatch(says);
  });
});
