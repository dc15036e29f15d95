/** Check 4 of M12.4 → M13.1: listed transitions only, one of two upgrades at once, and nobody notices. */
import { limitsOf, type PlanName } from '../plans.js';
import type { Service } from '../service.js';
import type { Reply } from './call-http.js';
import { type CheckResult, runCheck } from './check.js';
import { tryTransitions } from './listed-transitions.js';
import type { Platform } from './platform.js';
import { AT_ONCE, raceTransitions } from './racing-transitions.js';
import { type TestTenant, withTenants } from './test-tenant.js';

/** Pairs of a state and an event, as the course has them: a change of the table is meant to be seen here. */
const LISTED = 26;
const OTHERS = 143;

/** The upgrades of the test tenant, from starter on; each is asked for twice at the same instant. */
const UPGRADES: readonly PlanName[] = ['pro', 'enterprise'];

/** Queries under way at any time during the upgrades. */
const STREAMS = 2;

/**
 * Check 4 of M12.4 → M13.1: only listed transitions pass, of many changes at once one wins, also of two
 * upgrades, and queries pass all the while.
 *
 * @example const result = await checkLifecycle(platform.service);
 */
export function checkLifecycle(platform: Service<Platform>): Promise<CheckResult> {
  return runCheck(platform, {
    id: 'lifecycle',
    title: 'Lifecycle state machine',
    expected: [
      'every event in every state: what the table lists is done, all else is refused and changes nothing',
      `of ${AT_ONCE} changes at once one wins, and the log has it once`,
      'of two upgrades at once one is made (200), the other refused (409) with the current state',
      'queries asked all the while: no error',
    ],
    advice:
      'Mend M12.4 before going on: change a state in one step that compares it and its version (lifecycle-store.ts), and the limits at the gate before Stripe',
    async test(client) {
      const { allowed, refused, problem } = await tryTransitions(client.lifecycle);
      const problems = problem === undefined ? await raceTransitions(client) : [problem];
      if (problem === undefined && (allowed !== LISTED || refused !== OTHERS))
        problems.push(`${allowed} transitions listed, ${refused} not: it should be ${LISTED} and ${OTHERS}`);
      return withTenants(client.url, ['starter'], async ([one]) => {
        const tenant = one as TestTenant;
        const { answered, refused: unanswered } = await whileAsking(tenant, async () => {
          for (const plan of UPGRADES) problems.push(...(await upgradeTwice(client, tenant, plan)));
        });
        problems.push(...unanswered);
        if (answered === 0) problems.push('no query was answered meanwhile');
        const { billing } = client.books();
        const invoices = await billing.invoicesOf(await billing.customerFor({ tenantId: tenant.tenantId }));
        const changes = invoices.filter(({ reason }) => reason === 'subscription_update').length;
        if (changes !== UPGRADES.length)
          problems.push(`${UPGRADES.length} upgrades were charged ${changes} times`);
        return {
          problems,
          measured: { queries: answered },
          evidence: [
            `${LISTED} listed transitions made, ${OTHERS} others refused: nothing had changed`,
            `of ${AT_ONCE} changes at once one won, and the log has it once`,
            `${UPGRADES.length} upgrades, each asked for twice at once: one made (200), one refused (409) with the current state`,
            'each upgrade charged once, its limits at the gate; queries asked all the while: no error',
          ],
        };
      });
    },
  });
}

/** Asks for an upgrade twice at the same instant; what is wrong with what came of it. */
async function upgradeTwice(
  { gather, lifecycle }: Platform,
  { tenantId, call, ask }: TestTenant,
  plan: PlanName,
): Promise<string[]> {
  const before = (await lifecycle.read(tenantId))?.version ?? 0;
  gather(2);
  const upgrade = () => call('POST', `/api/tenants/${tenantId}/plan`, { plan });
  const replies = await Promise.all([upgrade(), upgrade()]);
  const statuses = replies.map(({ status }) => status).sort();
  const problems: string[] = [];
  if (statuses.join() !== '200,409')
    problems.push(`two upgrades to ${plan} at once got ${statuses.join(' and ')}`);
  else if (!replies.some((reply) => reply.status === 409 && isTold(reply, before)))
    problems.push(`the refusal of an upgrade to ${plan} does not say the current state`);
  const { body } = await call('GET', `/api/tenants/${tenantId}`);
  if (body.plan !== plan || body.state !== 'active')
    problems.push(`after the upgrade to ${plan} it is ${body.state} with plan ${body.plan}`);
  const kept = (await lifecycle.read(tenantId))?.plan;
  if (kept !== plan) problems.push(`after the upgrade to ${plan} the log says ${kept}`);
  const limits = (await ask('What may I use now?')).headers.get('ratelimit-policy') ?? 'no limits';
  if (!limits.includes(`q=${limitsOf(plan).queries};`))
    problems.push(`after the upgrade to ${plan} the gate says ${limits}`);
  return problems;
}

/** Upgrading since one version ago, or done with it. */
function isTold({ body }: Reply, before: number): boolean {
  const { state, version, allowed } = body;
  const told = `${state} ${version}`;
  return Array.isArray(allowed) && [`upgrading ${before + 1}`, `active ${before + 2}`].includes(told);
}

/** Asks without a pause until the work has ended, or failed. */
async function whileAsking(
  { ask }: TestTenant,
  work: () => Promise<void>,
): Promise<{ answered: number; refused: Set<string> }> {
  let isOver = false;
  let answered = 0;
  const refused = new Set<string>();
  const stream = async () => {
    while (!isOver) {
      try {
        const { status } = await ask('Does it still answer?');
        if (status === 200) answered += 1;
        else refused.add(`a query during the upgrades got ${status}`);
      } catch (error) {
        refused.add(`a query during the upgrades: ${(error as Error).message}`);
        return;
      }
    }
  };
  const streams = Array.from({ length: STREAMS }, stream);
  try {
    await work();
  } finally {
    isOver = true;
    await Promise.all(streams);
  }
  return { answered, refused };
}
