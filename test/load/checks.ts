/**
 * What must be true after a run, whatever was killed in it. Functions over plain data: what the callers
 * saw on one side, what the stores say on the other, so that a test can falsify either.
 */
import type { PlanName } from '../../src/plans.js';

/** One request as its caller saw it. Times are in ms since 1970. */
export interface Answer {
  readonly tenantId: string;
  readonly sentAt: number;
  /** Undefined for an answer that was cut off: its event may be there or not. */
  readonly status?: number;
  readonly ms?: number;
  /** Of a 200. */
  readonly eventId?: string;
}

/** A row of `usage_events`, before copies are removed. */
export interface StoredEvent {
  readonly tenantId: string;
  readonly eventId: string;
  /** e.g. `2025-11-30`, in UTC */
  readonly day: string;
}

export interface LoadedTenant {
  readonly tenantId: string;
  readonly plan: PlanName;
  /** Queries that it may make in a day. */
  readonly quota: number;
  /** Ids of the events that it had before the run. */
  readonly earlier: readonly string[];
  /** Most requests that were admitted and not in ClickHouse, while a counter may have begun anew from there. */
  readonly unstored: number;
}

/** Queries by tenant. */
export type Counts = Readonly<Record<string, number>>;

export interface LoadedRun {
  readonly tenants: readonly LoadedTenant[];
  readonly answers: readonly Answer[];
  readonly stored: readonly StoredEvent[];
  readonly rollups: Readonly<Record<'usage_hourly' | 'usage_daily', Counts>>;
  /** What `GET /api/tenants/{id}/usage` told each tenant. */
  readonly told: Counts;
  /** Statuses with which tenants were answered that asked for the usage of the next one. */
  readonly askedForOthers: readonly number[];
  /** Queries on the lines of each plan invoice. */
  readonly invoiced: Counts;
  /** Queries that Stripe's meter has. */
  readonly metered: Counts;
  /** Tenants that signed up during the run, and what they are at its end. */
  readonly signups: readonly { readonly tenantId: string; readonly state: string }[];
}

/** A sentence for each thing that is wrong. */
export type Check = (run: LoadedRun) => string[];

/** By the line that a report has for it. */
export const CHECKS: Readonly<Record<string, Check>> = {
  'no request counted twice or lost': countedOnce,
  "no tenant sees another's data": ownDataOnly,
  'every quota kept, and nobody refused before it': quotasKept,
  'every plan invoice, and the meter at Stripe, equal to the usage': billedAsUsed,
  'nothing but 200, 429 and 503 answered': expectedStatuses,
  'every signup during the run is active': signupsActive,
};

/** Each 200's event is there once, and nothing that nobody asked for; the rollups count the same. */
function countedOnce({ tenants, answers, stored, rollups }: LoadedRun): string[] {
  const copies = tally(stored, ({ eventId }) => eventId);
  const promised = [...confirmed(answers), ...tenants.flatMap(({ earlier }) => earlier)];
  const answeredTwice = [...tally(promised, (id) => id)].filter(([, times]) => times > 1);
  const cutOff = answers.filter(({ status }) => status === undefined).length;
  const known = new Set(promised);
  const unasked = [...copies.keys()].filter((id) => !known.has(id)).length;
  return [
    ...answeredTwice.map(([id]) => `${id} was given to two requests`),
    ...promised.filter((id) => !copies.has(id)).map((id) => `${id} was answered and is lost`),
    ...[...copies].filter(([, times]) => times > 1).map(([id, times]) => `${id} is stored ${times} times`),
    ...(unasked > cutOff
      ? [`${unasked} events have no answer, and only ${cutOff} answers were cut off`]
      : []),
    ...Object.entries(rollups).flatMap(([table, counts]) => differences(table, usedBy(stored), counts)),
  ];
}

/** An event belongs to the tenant whose key asked; a tenant reads its own usage, and nobody else's. */
function ownDataOnly({ answers, stored, told, askedForOthers }: LoadedRun): string[] {
  const asker = new Map(answers.map(({ eventId, tenantId }) => [eventId, tenantId]));
  const opened = askedForOthers.filter((status) => status !== 403 && status !== 404);
  return [
    ...stored
      .filter(({ eventId, tenantId }) => (asker.get(eventId) ?? tenantId) !== tenantId)
      .map(({ eventId, tenantId }) => `${eventId} was asked by ${asker.get(eventId)} and is ${tenantId}'s`),
    ...differences('GET usage', usedBy(stored), told),
    ...opened.map((status) => `the usage of another tenant was answered with ${status}`),
  ];
}

/** Never more than quota + U on a day; and a 429 only to who had used its quota up. */
function quotasKept({ tenants, answers, stored }: LoadedRun): string[] {
  const byDay = tally(distinct(stored), ({ tenantId, day }) => `${tenantId} on ${day}`);
  const most = usedBy(stored);
  const of = new Map(tenants.map((tenant) => [tenant.tenantId, tenant]));
  const tooMany = [...byDay].filter(([key, used]) => {
    const tenant = of.get(key.split(' ')[0] ?? '');
    return used > (tenant?.quota ?? 0) + (tenant?.unstored ?? 0);
  });
  const refused = new Set(answers.filter(({ status }) => status === 429).map(({ tenantId }) => tenantId));
  // A request that was cut off may have been counted.
  const cutOff = tally(
    answers.filter(({ status }) => status === undefined),
    ({ tenantId }) => tenantId,
  );
  const early = tenants.filter(
    ({ tenantId, quota }) =>
      refused.has(tenantId) && (most[tenantId] ?? 0) + (cutOff.get(tenantId) ?? 0) < quota,
  );
  return [
    ...tooMany.map(([key, used]) => {
      const { quota, unstored } = of.get(key.split(' ')[0] ?? '') ?? {};
      return `${key} used ${used}, with a quota of ${quota} and ${unstored} not yet stored`;
    }),
    ...early.map(({ tenantId, quota }) => `${tenantId} was refused at ${most[tenantId] ?? 0} of ${quota}`),
  ];
}

function billedAsUsed({ stored, invoiced, metered }: LoadedRun): string[] {
  const used = usedBy(stored);
  return [...differences('plan invoice', used, invoiced), ...differences("Stripe's meter", used, metered)];
}

function expectedStatuses({ answers }: LoadedRun): string[] {
  const others = answers.filter(({ status }) => status !== undefined && ![200, 429, 503].includes(status));
  const byStatus = tally(others, ({ status }) => String(status));
  return [...byStatus].map(([status, times]) => `${times} answers were ${status}`);
}

function signupsActive({ signups }: LoadedRun): string[] {
  const others = signups.filter(({ state }) => state !== 'active');
  return others.map(({ tenantId, state }) => `${tenantId} is ${state}`);
}

/** Distinct events of each tenant. */
export const usedBy = (stored: readonly StoredEvent[]): Counts =>
  Object.fromEntries(tally(distinct(stored), ({ tenantId }) => tenantId));

const distinct = (stored: readonly StoredEvent[]): StoredEvent[] => [
  ...new Map(stored.map((event) => [`${event.tenantId} ${event.eventId}`, event])).values(),
];

/** Ids of the events that callers were told of. */
export const confirmed = (answers: readonly Answer[]): string[] =>
  answers.flatMap(({ status, eventId }) => (status === 200 ? [eventId ?? 'a 200 without an event'] : []));

function tally<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}

function differences(place: string, expected: Counts, found: Counts): string[] {
  return [...new Set([...Object.keys(expected), ...Object.keys(found)])].flatMap((tenantId) => {
    const [wanted = 0, there = 0] = [expected[tenantId], found[tenantId]];
    return wanted === there ? [] : [`${place}, ${tenantId}: ${there} queries instead of ${wanted}`];
  });
}
