/** The customer's balance: credit below 0, debt above, and a record of each change. */
import type Stripe from 'stripe';
import type { Account } from '../state/account.js';
import { nulls, type Stored } from '../state/stored.js';

/** Adds to a customer's balance and records it; a change of nothing leaves no trace. */
export function changeBalance(
  account: Account,
  customerId: string,
  facts: {
    amount: number;
    type: 'adjustment' | 'applied_to_invoice' | 'unapplied_from_invoice';
    now: number;
    invoice?: string;
    description?: string | null;
    metadata?: Record<string, string>;
  },
): Stored<Stripe.CustomerBalanceTransaction> | undefined {
  const { amount, type, now, invoice = null, description = null, metadata = {} } = facts;
  if (amount === 0) return undefined;
  const { customers, balanceTransactions } = account.tables;
  const balance = customers.one(customerId).balance + amount;
  customers.change(customerId, { balance, currency: 'usd' });
  return balanceTransactions.put({
    id: account.newId('cbtxn'),
    object: 'customer_balance_transaction',
    amount,
    created: now,
    currency: 'usd',
    customer: customerId,
    description,
    ending_balance: balance,
    invoice,
    livemode: false,
    metadata,
    type,
    ...nulls('checkout_session credit_note customer_account'),
  });
}
