import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { followEnd, followStanding } from '../../src/tenants/follow-standing.js';
import { readLifecycleLog } from '../../src/tenants/lifecycle-log.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { type LifecycleBench, lifecycleBench, TO } from '../support/lifecycle.js';

let engine: Embedded;
let bench: LifecycleBench;
let tenantId: string;
let count = 0;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());
beforeEach(async () => {
  bench = await lifecycleBench(engine);
  count += 1;
  tenantId = `tenant-${count}`;
});
const log = async () =>
  (await readLifecycleLog(engine.clickhouse, tenantId)).slice(3).map(({ event }) => event);

describe('followStanding()', () => {
  it('suspends and reactivates, each once however often it is told', async () => {
    await bench.walk(tenantId, ...TO.active);
    for (const standing of ['good', 'reduced', 'suspended', 'suspended', 'reduced', 'good'] as const)
      await followStanding(bench.lifecycle, tenantId, standing);
    expect(await log()).toEqual(['suspend', 'reactivate']);
    expect(await bench.lifecycle.read(tenantId)).toMatchObject({ state: 'active', by: 'dunning' });
  });

  it('leaves a tenant with a change in progress for the next round', async () => {
    const { version } = await bench.walk(tenantId, ...TO.upgrading);
    expect(await followStanding(bench.lifecycle, tenantId, 'suspended')).toBeUndefined();
    await bench.lifecycle.transition({ tenantId, event: 'complete', version, by: 'test' });
    expect(await followStanding(bench.lifecycle, tenantId, 'suspended')).toMatchObject({
      state: 'suspended',
    });
  });

  it('does not mind several at once, or one who never signed up', async () => {
    await bench.walk(tenantId, ...TO.active);
    const told = Array.from({ length: 10 }, () => followStanding(bench.lifecycle, tenantId, 'suspended'));
    expect((await Promise.all(told)).filter(Boolean)).toHaveLength(1);
    expect(await followStanding(bench.lifecycle, 'nobody', 'suspended')).toBeUndefined();
  });
});

describe('followEnd()', () => {
  it('cancels who was active or suspended, once, and leaves the deleted alone', async () => {
    await bench.walk(tenantId, ...TO.active, 'suspend');
    expect(await followEnd(bench.lifecycle, tenantId)).toMatchObject({ state: 'cancelled', by: 'stripe' });
    expect(await followEnd(bench.lifecycle, tenantId)).toBeUndefined();
    await bench.walk(tenantId, 'delete');
    expect(await followEnd(bench.lifecycle, tenantId)).toBeUndefined();
    expect(await log()).toEqual(['suspend', 'cancel', 'delete']);
  });
});
