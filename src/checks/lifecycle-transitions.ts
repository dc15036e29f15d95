/** Check 4 of M12.4 → M13.1: listed transitions only, one of two upgrades at once, and nobody notices. */
import type { PlanName } from '../plans.js';
import type { Service } from '../service.js';
import { type CheckResult, runCheck } from './check.js';
import { tryTransitions } from './listed-transitions.js';
import type { Platform } from './platform.js';
import { type Reply, type TestTenant, withTenants } from './test-tenant.js';

/** The upgrades of the test tenant, from starter on; each is asked for twice at the same instant. */
const UPGRADES: readonly PlanName[] = ['pro', 'enterprise'];

/** Queries under way at any time during the upgrades. */
const STREAMS = 2;

/**
 * Check 4 of M12.4 → M13.1: only listed transitions pass, one of two upgrades at once wins, and queries pass
 * all the while.
 *
 * @example const result = await checkLifecycle(platform.service);
 */
export function checkLifecycle(platform: Service<Platform>): Promise<CheckResult> {
  return runCheck(platform, {
    id: 'lifecycle',
    title: 'Lifecycle state machine',
    expected: [
      'every event in every state: what the table lists is done, all else is refused and changes nothing',
      'of two upgrades at once one is made (200), the other refused (409) with the current state',
      'queries asked all the while: no error',
    ],
    advice:
      'Mend M12.4 before going on: change a state in one step that compares it and its version (lifecycle-store.ts), and the limits at the gate before Stripe',
    test: async ({ url, gather, lifecycle, books }) => {
      const tried = await tryTransitions(lifecycle);
      const problems = tried.problem === undefined ? [] : [tried.problem];
      const queries = await withTenants(url, ['starter'], async ([one]) => {
        const tenant = one as TestTenant;
        const stream = queriesOf(tenant);
        for (const plan of UPGRADES) {
          gather(2);
          const upgrade = () => tenant.call('POST', `/api/tenants/${tenant.tenantId}/plan`, { plan });
          problems.push(...wrongIn(await Promise.all([upgrade(), upgrade()]), plan));
          const { body } = await tenant.call('GET', `/api/tenants/${tenant.tenantId}`);
          if (body.plan !== plan || body.state !== 'active')
            problems.push(`after the upgrade to ${plan} it is ${body.state} with plan ${body.plan}`);
        }
        const { answered, refused } = await stream.end();
        problems.push(...refused);
        if (answered === 0) problems.push('no query was answered meanwhile');
        const { billing } = books();
        const invoices = await billing.invoicesOf(await billing.customerFor({ tenantId: tenant.tenantId }));
        const changes = invoices.filter(({ reason }) => reason === 'subscription_update').length;
        if (changes !== UPGRADES.length)
          problems.push(`${UPGRADES.length} upgrades were charged ${changes} times`);
        return answered;
      });
      return {
        problems,
        measured: { queries },
        evidence: [
          `${tried.allowed} listed transitions made, ${tried.refused} others refused: nothing had changed`,
          `${UPGRADES.length} upgrades, each asked for twice at once: one made (200), one refused (409) with the current state`,
          'each upgrade charged once; queries asked all the while: no error',
        ],
      };
    },
  });
}

function wrongIn(replies: readonly Reply[], plan: PlanName): string[] {
  const statuses = replies.map(({ status }) => status).sort();
  if (statuses.join() !== '200,409') return [`two upgrades to ${plan} at once got ${statuses.join(' and ')}`];
  const { state, version, allowed } = replies.find(({ status }) => status === 409)?.body ?? {};
  const isTold = typeof state === 'string' && typeof version === 'number' && Array.isArray(allowed);
  return isTold ? [] : [`the refusal of an upgrade to ${plan} does not say the current state`];
}

/** Asks without a pause until it is told to end. */
function queriesOf({ ask }: TestTenant) {
  let isOver = false;
  let answered = 0;
  const refused = new Set<string>();
  const stream = async () => {
    while (!isOver) {
      const { status } = await ask('Does it still answer?');
      if (status === 200) answered += 1;
      else refused.add(`a query during the upgrades got ${status}`);
    }
  };
  const streams = Array.from({ length: STREAMS }, stream);
  return {
    async end(): Promise<{ answered: number; refused: Set<string> }> {
      isOver = true;
      await Promise.all(streams);
      return { answered, refused };
    },
  };
}
