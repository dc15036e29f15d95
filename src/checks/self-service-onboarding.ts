/** Check 3 of M12.4 → M13.1: from signup to the first answered query in under a minute, without a human. */
import type { ClickHouseClient } from '@clickhouse/client';
import type { Service } from '../service.js';
import { readLastEntries } from '../tenants/lifecycle-log.js';
import type { Reply } from './call-http.js';
import { type CheckResult, type Finding, runCheck } from './check.js';
import {
  deletingTenants,
  hasFailed,
  newSignup,
  onboarded,
  SIGNUP_SECONDS,
  type Signup,
  signUp,
  stepsIn,
  type TestTenant,
} from './test-tenant.js';

export interface OnboardingOptions {
  /** Stripe's id of the card that is paid with. @default 'pm_card_visa' */
  readonly paymentMethod?: string;
  /** @default 60 */
  readonly budgetSeconds?: number;
}

/** Where signups go; with the log of its tenants they are counted. */
export interface OnboardingApi {
  readonly url: string;
  readonly clickhouse?: ClickHouseClient;
}

/**
 * Signs a test tenant up over HTTP, waits until it is active, asks a query with its key, and signs up again
 * with the same e-mail and with the same company. What was made is deleted at the end.
 *
 * @param api where `POST /signup` is: the kit's server, or that of ONBOARDING_API_URL
 * @example const result = await checkOnboarding(platform.service);
 */
export function checkOnboarding(
  api: Service<OnboardingApi>,
  { paymentMethod = 'pm_card_visa', budgetSeconds = SIGNUP_SECONDS }: OnboardingOptions = {},
): Promise<CheckResult> {
  return runCheck(api, {
    id: 'self-service-onboarding',
    title: 'Self-service onboarding',
    expected: [
      'signup, payment, provisioning: active in under 60 s, and the key answers a query',
      'the same e-mail or company again: 409, and no second tenant',
    ],
    advice:
      'Mend M12.3 before going on: GET /api/tenants/{id} names the step that waits or failed; look at its worker, the webhook of the payment, the key, and at ONBOARDING_API_URL if it is set',
    test: (service) =>
      deletingTenants((made) => tryOnboarding(service, { paymentMethod, budgetSeconds, made })),
  });
}

/** @param options.made gets each tenant that was made */
async function tryOnboarding(
  { url, clickhouse }: OnboardingApi,
  { paymentMethod, budgetSeconds, made }: Required<OnboardingOptions> & { made: TestTenant[] },
): Promise<Finding> {
  const signedUp = async (signup: Signup) => {
    const { status, tenant } = await signUp(url, signup, { seconds: budgetSeconds });
    if (tenant) made.push(tenant);
    return { status, tenant };
  };
  const signup = newSignup('starter', paymentMethod);
  const started = performance.now();
  const { status, tenant } = await signedUp(signup);
  if (!tenant) {
    const what = status === 202 ? '202 without' : `${status}, not 202 with`;
    throw new Error(`POST /signup got ${what} tenant_id and api_key`);
  }
  const reached = await onboarded(tenant, { seconds: budgetSeconds });
  const measured = { signup: (performance.now() - started) / 1_000 };
  if (reached.body.state !== 'active')
    return { problems: [notActive(reached, budgetSeconds)], evidence: [], measured };

  const problems: string[] = [];
  if (measured.signup >= budgetSeconds) problems.push(`signup to active took more than ${budgetSeconds} s`);
  const asked = await tenant.ask('Am I in?');
  if (asked.status !== 200) problems.push(`a query with the new key got ${asked.status}, not 200`);

  const tenants = async () => (clickhouse ? (await readLastEntries(clickhouse)).length : 0);
  const before = await tenants();
  const { email, company } = signup;
  for (const [what, same] of Object.entries({ 'e-mail': { email }, company: { company } })) {
    const { status } = await signedUp({ ...newSignup(), ...same });
    if (status !== 409) problems.push(`a second signup with the same ${what} got ${status}, not 409`);
  }
  const more = (await tenants()) - before;
  if (more > 0) problems.push(`signing up again made ${more} more ${more === 1 ? 'tenant' : 'tenants'}`);
  return {
    problems,
    measured,
    evidence: [
      `signup, payment, provisioning: active in under ${budgetSeconds} s, and the key answers a query`,
      `the same e-mail or company again: 409${clickhouse ? ', and no second tenant' : ''}`,
    ],
  };
}

/** How far the onboarding came, e.g. `not active: it is pending_payment, its step card is failed (card_declined)`. */
function notActive(reply: Reply, budgetSeconds: number): string {
  const { state } = reply.body;
  if (reply.status !== 200) return `GET /api/tenants/{id} got ${reply.status}, not 200`;
  if (typeof state !== 'string') return 'GET /api/tenants/{id} got 200 without a state';
  const at = stepsIn(reply).find(({ state }) => state !== 'done');
  const reason = at?.reason ? ` (${at.reason})` : '';
  const where = at ? `, its step ${at.name} is ${at.state}${reason}` : '';
  return `not active${hasFailed(reply) ? '' : ` within ${budgetSeconds} s`}: it is ${state}${where}`;
}
