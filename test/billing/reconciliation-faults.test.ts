import { beforeAll, describe, expect, it } from 'vitest';
import type { Difference } from '../../src/billing/reconcile/difference.js';
import { reconcile } from '../../src/billing/reconcile/reconcile.js';
import { repairDifferences } from '../../src/billing/reconcile/repair-differences.js';
import { seeded } from '../support/seeded.js';
import { seedFaults } from './reconciliation-faults.js';
import { useWorlds, type World } from './reconciliation-world.js';

const seed = Number(process.env.FC_SEED) || Date.now() % 2 ** 31;

const newWorld = useWorlds();
let world: World;
beforeAll(async () => {
  world = await newWorld({ endOfRetries: 'unpaid' });
});

/** A difference in one line, without its amounts. */
const nameOf = (difference: Difference) => {
  const { subject, tenantId } = difference;
  const place = subject === 'usage' ? difference.day : subject === 'invoice' ? difference.line : '';
  return `${subject} ${difference.class} ${tenantId} ${place}`.trimEnd();
};

describe('reconcile() and repairDifferences()', () => {
  it('find 200 faults of every class and no other, and mend them', async () => {
    console.log(`reconciliation seed ${seed}`);
    const faults = await seedFaults(world, seeded(seed));
    expect(faults).toHaveLength(200);
    expect(new Set(faults.map((fault) => fault.split(' ').slice(0, 2).join(' '))).size).toBe(5 + 4 + 4);

    const differences = await reconcile(world.books());
    expect(differences.map(nameOf).sort()).toEqual([...faults].sort());

    const before = world.local.snapshot();
    const told = await repairDifferences(differences, world.books());
    expect(new Set(told.map(({ outcome }) => outcome))).toEqual(new Set(['would be done']));
    expect(world.local.snapshot() === before).toBe(true);

    const done = await repairDifferences(differences, world.books(), { dryRun: false });
    expect(done.filter(({ outcome }) => outcome !== 'done')).toEqual([]);
    expect((await reconcile(world.books())).map(nameOf)).toEqual([]);
  });
});
