import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlanName } from '../../src/plans.js';
import { readLifecycleLog } from '../../src/tenants/lifecycle-log.js';
import { LIFECYCLE, type LifecycleState, TRANSITIONS } from '../../src/tenants/lifecycle-table.js';
import type { AskableEvent, TransitionRequest } from '../../src/tenants/next-entry.js';
import { TransitionRefusedError } from '../../src/tenants/transition-refused-error.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { BEGINNING, type LifecycleBench, lifecycleBench } from '../support/lifecycle.js';

let engine: Embedded;
let bench: LifecycleBench;
beforeAll(async () => {
  engine = await openEmbedded();
  bench = await lifecycleBench(engine);
});
afterAll(() => engine.close());

/** One thing that happens to a tenant. */
type Deed =
  /** A number stands for one of the events that the state allows. */
  | { do: 'ask'; event: AskableEvent | number; plan: PlanName; knows: 'now' | 'before'; minutes: number }
  | { do: 'wait'; minutes: number }
  | { do: 'expire' | 'wipe' | 'rebuild' };

const events = [...new Set(TRANSITIONS.map(({ event }) => event))].filter((event) => event !== 'expire');
const minutes = fc.integer({ min: 1, max: 20 });
const ask = fc.record({
  do: fc.constant('ask' as const),
  event: fc.oneof({ weight: 4, arbitrary: fc.nat() }, fc.constantFrom(...(events as AskableEvent[]))),
  plan: fc.constantFrom<PlanName>('starter', 'pro', 'enterprise'),
  knows: fc.constantFrom(...Array<'now'>(7).fill('now'), 'before' as const),
  minutes,
});
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 12, arbitrary: ask },
  // Clocks go back, too.
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('wait' as const), minutes: fc.integer({ min: -5, max: 20 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('expire' as const, 'wipe' as const, 'rebuild' as const) }),
  },
);

const deeds = fc.array(deed, { minLength: 15, maxLength: 40, size: 'max' });
const firstOf = { do: 'ask', event: 0, plan: 'pro', knows: 'now', minutes: 15 } as const;
/** From the very beginning, or from an active tenant. */
const history = fc.oneof(
  deeds,
  deeds.map((some): Deed[] => [firstOf, firstOf, firstOf, ...some]),
);

/** What the table says of a tenant, without Redis: arrows, plans and deadlines. */
class Model {
  state: LifecycleState = 'none';
  origin: LifecycleState = 'none';
  version = 0;
  plan: PlanName | undefined;
  target: PlanName | undefined;
  deadline = Number.POSITIVE_INFINITY;
  wiped = false;
  readonly log: string[] = [];

  go(event: string, now: number, { plan, timeoutMs }: { plan?: PlanName; timeoutMs?: number } = {}): string {
    const arrows = TRANSITIONS.filter((arrow) => arrow.from === this.state && arrow.event === event);
    const arrow = arrows.find(({ to }) => arrows.length === 1 || to === this.origin);
    if (!arrow) return 'refused';
    if (event === 'sign_up') this.plan = plan;
    if (event === 'complete') this.plan = this.target ?? this.plan;
    this.target = event === 'sign_up' ? undefined : plan;
    const inProgress = LIFECYCLE[arrow.to].rollsBackTo !== undefined;
    this.deadline = inProgress ? now + (timeoutMs ?? Number.NaN) : Number.POSITIVE_INFINITY;
    [this.origin, this.state, this.version] = [this.state, arrow.to, this.version + 1];
    this.log.push(`${this.version} ${this.origin} ${event} ${this.state} ${this.plan}`);
    return 'done';
  }

  allowed(choice: number): AskableEvent {
    const asked = TRANSITIONS.filter(({ from, event }) => from === this.state && event !== 'expire');
    return (asked[choice % asked.length]?.event ?? 'sign_up') as AskableEvent;
  }

  /** A wiped tenant is back when it is asked for, and goes on from its last entry in ClickHouse. */
  bringBack(): void {
    if (this.wiped && this.log.length > 0) this.version = Number(this.log.at(-1)?.split(' ')[0]) + 1_000;
    this.wiped = false;
  }

  expire(now: number): void {
    if (!this.wiped && this.deadline <= now) this.go('expire', now);
  }
}

const TAKES_PLAN = ['sign_up', 'upgrade', 'downgrade', 'win_back'];
const BEGINS = ['upgrade', 'downgrade', 'win_back', 'pay', 'retry'];
const seed = Number(process.env.FC_SEED) || Date.now() % 2 ** 31;
let tenants = 0;

async function live(deeds: readonly Deed[]): Promise<Model> {
  tenants += 1;
  const [tenantId, model, { lifecycle }] = [`tenant-${tenants}`, new Model(), bench];
  let now = new Date(BEGINNING).getTime();
  for (const one of deeds) {
    bench.setClock(new Date(now).toISOString());
    if (one.do === 'wait') now += one.minutes * 60_000;
    if (one.do === 'expire') {
      await lifecycle.expireStale();
      model.expire(now);
    }
    if (one.do === 'wipe') {
      await engine.redis.del(await keysOf(engine.redis));
      model.wiped = true;
    }
    if (one.do === 'rebuild') {
      await lifecycle.rebuild();
      model.bringBack();
    }
    if (one.do !== 'ask') continue;
    const { knows } = one;
    model.bringBack();
    model.expire(now);
    const event = typeof one.event === 'number' ? model.allowed(one.event) : one.event;
    const ends = event === 'complete' || event === 'fail';
    const some = {
      ...(TAKES_PLAN.includes(event) && { plan: one.plan }),
      ...(BEGINS.includes(event) && { timeoutMs: one.minutes * 60_000 }),
    };
    const version = Math.max(0, model.version - (knows === 'before' ? 1 : 0));
    const request = {
      tenantId,
      event,
      by: 'model',
      ...some,
      ...((ends || knows === 'before') && { version }),
    };
    const expected =
      'version' in request && version !== model.version ? 'refused' : model.go(event, now, some);
    expect(await outcomeOf(request), `${event} of ${model.state}`).toBe(expected);
    const tenant = await lifecycle.read(tenantId);
    expect([tenant?.state ?? 'none', tenant?.version ?? 0, tenant?.plan]).toEqual([
      ...[model.state, model.version, model.plan],
    ]);
  }
  const log = await readLifecycleLog(engine.clickhouse, tenantId);
  expect(
    log.map((entry) => `${entry.version} ${entry.from} ${entry.event} ${entry.state} ${entry.plan}`),
  ).toEqual(model.log);
  return model;
}

async function outcomeOf(request: TransitionRequest): Promise<string> {
  try {
    await bench.lifecycle.transition(request);
    return 'done';
  } catch (error) {
    if (error instanceof TransitionRefusedError) return 'refused';
    throw error;
  }
}

describe('TenantLifecycle, whatever is asked in whatever order', () => {
  it('goes as the table says, through expiry, rollback, wipes and rebuilds', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(history, async (deeds) => {
        const model = await live(deeds);
        for (const line of model.log) seen.add(line.split(' ').slice(1, 4).join(' '));
      }),
      { seed, numRuns: 60 },
    );
    const arrows = TRANSITIONS.map(({ from, event, to }) => `${from} ${event} ${to}`);
    const missed = arrows.filter((arrow) => !seen.has(arrow));
    console.log(`lifecycle model: seed ${seed}, arrows not walked: ${missed.join(', ') || 'none'}`);
  });
});

/** All keys of the lifecycle. */
async function keysOf(redis: unknown): Promise<string[]> {
  return [
    ...(await (redis as { keys(pattern: string): Promise<string[]> }).keys('meterbridge:{:lifecycle}*')),
    '-',
  ];
}
