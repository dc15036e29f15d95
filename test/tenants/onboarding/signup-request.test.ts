import { describe, expect, it } from 'vitest';
import { readSignup } from '../../../src/tenants/onboarding/signup-request.js';
import { signupOf } from '../../support/onboarding.js';

describe('readSignup()', () => {
  it('takes spaces around and the case of an e-mail for nothing', () => {
    expect(readSignup(signupOf(' Acme Corp ', { email: ' Ann@Example.COM ' }))).toEqual({
      tenantId: 'acme-corp',
      company: 'Acme Corp',
      email: 'ann@example.com',
      plan: 'starter',
      paymentMethod: 'pm_card_visa',
    });
  });

  it.each([
    ['ACME  corp.', 'acme-corp'],
    ['Ácme-Çorp!', 'acme-corp'],
    ['3M', '3m'],
    ['-- Ünï & Söhne GmbH --', 'uni-sohne-gmbh'],
    ['a'.repeat(120), 'a'.repeat(63)],
    [`${'a'.repeat(62)} b`, 'a'.repeat(62)],
  ])('makes of the company %j the tenant %j', (company, tenantId) => {
    expect(readSignup(signupOf(company, { email: 'a@example.com' })).tenantId).toBe(tenantId);
  });

  it.each([
    [{ company: '' }, 'company must not be empty, current value is ""'],
    [{ company: ' \n' }, 'company must not be empty, current value is ""'],
    [{ company: 'Acme \ud83d' }, 'company must be well-formed Unicode'],
    [{ email: 'ann\ud83d@example.com' }, 'email must be well-formed Unicode'],
    [{ company: '株式会社' }, 'company must have a letter of a to z or a digit'],
    [{ company: 7 }, 'company must be text, current value is 7'],
    [{ email: 'ann' }, 'email must be an e-mail address, current value is "ann"'],
    [{ email: 'ann@example.com, bob@example.com' }, 'email must be an e-mail address'],
    [{ email: `${'a'.repeat(250)}@b.co` }, 'email must be at most 254 characters'],
    [{ plan: 'free' }, 'plan must be one of starter, pro, enterprise, current value is "free"'],
    [{ plan: 'constructor' }, 'plan must be one of starter, pro, enterprise'],
    [{ payment_method: '4242424242424242' }, 'payment_method must be the id of a payment method'],
    [{ payment_method: 'pm_' }, 'payment_method must be the id of a payment method'],
    [{ payment_method: 'pm_1/attach' }, 'payment_method must be the id of a payment method'],
    [{ tenant_id: 'acme-corp' }, 'tenant_id is not a known field'],
  ])('refuses %j', (wrong, problem) => {
    expect(() => readSignup(signupOf('Acme Corp', wrong))).toThrow(`Cannot accept signup: ${problem}`);
  });

  it.each(['4242424242424242', 4242424242424242])('does not repeat %j, the number of a card', (number) => {
    const read = () => readSignup(signupOf('Acme Corp', { payment_method: number }));
    expect(read).toThrow(/^(?!.*4242)/);
  });
});
