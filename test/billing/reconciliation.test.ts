import { beforeEach, describe, expect, it } from 'vitest';
import { differenceLines, differenceRows } from '../../src/billing/reconcile/difference.js';
import { reconcile } from '../../src/billing/reconcile/reconcile.js';
import { useWorlds, type World } from './reconciliation-world.js';

const newWorld = useWorlds();
let world: World;
beforeEach(async () => {
  world = await newWorld();
});

const found = async () => differenceRows(await reconcile(world.books()));

describe('reconcile()', () => {
  it('finds nothing in a healthy month, whenever it looks', async () => {
    for (const [tenant, plan] of [
      ['over', 'starter'],
      ['unused', 'enterprise'],
      ['leaving', 'pro'],
      ['growing', 'starter'],
      ['shrinking', 'pro'],
    ] as const)
      await world.join(tenant, plan);
    await world.join('trying', 'pro', { trialDays: 14 });
    await world.use('over', { '2025-11-01T00:00:00Z': 9_000, '2025-11-01T00:00:00.100Z': 1 });

    await world.advance('2025-11-15T10:00:00Z');
    await world.join('in-the-middle', 'starter');
    await world.use('over', { '2025-11-10T10:00:00Z': 19_450 });
    await world.use('trying', { '2025-11-05T10:00:00Z': 200_000 });
    await world.use('growing', { '2025-11-14T10:00:00Z': 12_000 });
    await world.use('leaving', { '2025-11-14T10:00:00Z': 110_000 });
    await world.sync('2025-11');
    expect(await found()).toEqual([]);

    await world.advance('2025-11-16T09:30:00Z');
    await world.billing.changePlan({ subscriptionId: world.subscriptionOf('growing'), planType: 'pro' });
    await world.record('growing', '2025-11-16', { plan: 'pro' });
    await world.billing.changePlan({
      subscriptionId: world.subscriptionOf('shrinking'),
      planType: 'starter',
    });
    await world.record('shrinking', '2025-12-01', { plan: 'starter' });
    await world.billing.cancelSubscription({ subscriptionId: world.subscriptionOf('leaving') });
    await world.record('leaving', '2025-12-01', { plan: 'pro', state: 'deleted' });

    await world.advance('2025-11-20T10:00:00Z');
    await world.use('growing', { '2025-11-18T10:00:00Z': 105_000 });
    await world.use('trying', { '2025-11-18T10:00:00Z': 100_500 });
    await world.sync('2025-11');
    expect(await found()).toEqual([]);

    await world.advance('2025-12-01T00:00:00Z');
    await world.billing.applyWaitingChange(world.subscriptionOf('shrinking'));
    await world.use('in-the-middle', { '2025-11-30T10:00:00Z': 10_500 });
    await world.sync('2025-11');
    expect(await found()).toEqual([]);

    await world.advance('2025-12-02T10:00:00Z');
    expect(await found()).toEqual([]);
    await world.advance('2025-12-20T10:00:00Z');
    await world.use('over', { '2025-12-18T10:00:00Z': 19_450 });
    await world.sync('2025-12');
    expect(await found()).toEqual([]);
  });
});

describe('differenceLines()', () => {
  it('says each difference in a line, and counts them', async () => {
    await world.record('acme-corp', '2025-11-01');
    const [what, repair] = ['expected starter, active, found no subscription', 'it has no customer'];
    expect(differenceLines(await reconcile(world.books()))).toEqual([
      expect.stringContaining(
        `acme-corp: subscription missing, as it stands now: ${what} → by hand: ${repair}`,
      ),
      '1 difference, 1 of them for a person',
    ]);
    expect(differenceLines([])).toEqual(['0 differences, 0 of them for a person']);
  });
});
