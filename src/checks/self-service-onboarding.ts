/** Check 3 of M12.4 → M13.1: from signup to the first answered query in under a minute, without a human. */
import type { Service } from '../service.js';
import { type CheckResult, runCheck } from './check.js';
import { newSignup, onboarded, type Reply, SIGNUP_SECONDS, signUp, stepsIn } from './test-tenant.js';

export interface OnboardingOptions {
  /** Stripe's id of the card that is paid with. @default 'pm_card_visa' */
  readonly paymentMethod?: string;
  /** @default 60 */
  readonly budgetSeconds?: number;
}

/**
 * Signs a test tenant up over HTTP, waits until it is active, asks a query with its key, and signs up again
 * with the same e-mail and with the same company. The tenant is deleted at the end.
 *
 * @param api where `POST /signup` is: the kit's server, or that of ONBOARDING_API_URL
 * @example const result = await checkOnboarding(platform.service);
 */
export function checkOnboarding(
  api: Service<{ readonly url: string }>,
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
      'Mend M12.3 before going on: GET /api/tenants/{id} names the step that waits or failed; look at its worker, the webhook of the payment, and the key',
    test: async ({ url }) => {
      const signup = newSignup('starter', paymentMethod);
      const started = performance.now();
      const { status, tenant } = await signUp(url, signup);
      if (!tenant) throw new Error(`POST /signup got ${status}, not 202 with tenant_id and api_key`);
      try {
        const reached = await onboarded(tenant, { seconds: budgetSeconds });
        const measured = { signup: (performance.now() - started) / 1_000 };
        if (reached.body.state !== 'active')
          return { problems: [notActive(reached, budgetSeconds)], evidence: [], measured };
        const problems: string[] = [];
        if (measured.signup >= budgetSeconds)
          problems.push(`signup to active took more than ${budgetSeconds} s`);
        const asked = await tenant.ask('Am I in?');
        if (asked.status !== 200) problems.push(`a query with the new key got ${asked.status}, not 200`);
        const { email, company } = signup;
        for (const [what, same] of Object.entries({ 'e-mail': { email }, company: { company } })) {
          const { status } = await signUp(url, { ...newSignup(), ...same });
          if (status !== 409) problems.push(`a second signup with the same ${what} got ${status}, not 409`);
        }
        return {
          problems,
          measured,
          evidence: [
            `signup, payment, provisioning: active in under ${budgetSeconds} s, and the key answers a query`,
            'the same e-mail or company again: 409, and no second tenant',
          ],
        };
      } finally {
        await tenant.call('DELETE', `/api/tenants/${tenant.tenantId}`);
      }
    },
  });
}

/** How far the onboarding came, e.g. `it is pending_payment, its step card is failed (insufficient_funds)`. */
function notActive(reply: Reply, budgetSeconds: number): string {
  if (reply.status !== 200) return `GET /api/tenants/{id} got ${reply.status}, not 200`;
  const at = stepsIn(reply).find(({ state }) => state !== 'done');
  const reason = at?.reason ? ` (${at.reason})` : '';
  const where = at ? `, its step ${at.name} is ${at.state}${reason}` : '';
  return `not active within ${budgetSeconds} s: it is ${reply.body.state}${where}`;
}
