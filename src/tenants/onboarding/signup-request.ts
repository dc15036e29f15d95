/** What is sent to `POST /signup`, and what is made of it. */
import { z } from 'zod';
import { InvalidInputError } from '../../errors.js';
import { parseInput, planName, text } from '../../input.js';
import type { TenantProfile } from './tenant-profiles.js';

/** The part of a profile that is signed up with. */
export type Signup = Pick<TenantProfile, 'tenantId' | 'company' | 'email' | 'plan' | 'paymentMethod'>;

const schema = z.strictObject({
  company: text.trim().min(1, 'must not be empty').max(120, 'must be at most 120 characters'),
  // 254: the longest address that mail servers take.
  email: text
    .trim()
    .toLowerCase()
    .max(254, 'must be at most 254 characters')
    .pipe(z.email('must be an e-mail address')),
  plan: planName,
  // Checked below: what is no payment method may be the number of a card, which no answer shall repeat.
  payment_method: z.unknown(),
});

/**
 * Reads a signup. Spaces around, and the case of letters, make no other e-mail and no other company.
 *
 * @throws InvalidInputError for the first field that does not fit.
 * @example readSignup({ company: ' Acme Corp', email: 'Ann@Example.com', … }).tenantId // 'acme-corp'
 */
export function readSignup(body: unknown): Signup {
  const { company, email, plan, payment_method: paymentMethod } = parseInput(schema, 'signup', body);
  if (typeof paymentMethod !== 'string' || !/^pm_\w{1,100}$/.test(paymentMethod)) {
    const problem = 'must be the id of a payment method that Stripe.js made (pm_…)';
    throw new InvalidInputError('signup', 'payment_method', problem);
  }
  return { tenantId: tenantIdOf(company), company, email, plan, paymentMethod };
}

/** Longest tenant id. */
const MOST_CHARACTERS = 63;

/** A company's name in the alphabet of tenant ids: accents go, all else that is no letter or digit is a hyphen. */
function tenantIdOf(company: string): string {
  const plain = company.normalize('NFKD').replace(/\p{Mark}/gu, '');
  const words = plain.toLowerCase().split(/[^a-z0-9]+/);
  const id = words.filter(Boolean).join('-').slice(0, MOST_CHARACTERS).replace(/-$/, '');
  if (id) return id;
  throw new InvalidInputError('signup', 'company', 'must have a letter of a to z or a digit');
}
