/** What a tenant is told whose queries do not even reach the gate: nothing is counted. */
import { problem } from './problem.js';

const REFUSALS = {
  suspended: [402, 'The service is suspended: pay the open invoice, and it is back at once'],
  onboarding: [403, 'The tenant is not active yet: GET /api/tenants/{id} says how far it is'],
  ended: [403, 'There is no subscription: subscribe to a plan, and ask again'],
} as const;

/** @example if (typeof limits === 'string') return refusedTenant(limits); */
export function refusedTenant(why: keyof typeof REFUSALS): Response {
  const [status, detail] = REFUSALS[why];
  return problem(status, detail);
}
