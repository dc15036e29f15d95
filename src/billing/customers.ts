/** The customer of a tenant: one for each, found by the tenant's id. */
import type Stripe from 'stripe';
import { MissingCustomerError } from '../errors.js';
import { parseInput, tenantId as tenantIdSchema } from '../input.js';
import { CustomerDiffersError, WrongTenantError } from './billing-errors.js';
import { type BillingContext, idOf, METADATA } from './context.js';
import { existingCustomer } from './existing-customer.js';
import { isIdempotencyConflict } from './idempotency-conflict.js';
import type { TenantContact } from './shapes.js';
import { clockFilters } from './test-clock.js';

/** @example await new Customers(context).getOrCreate({ tenantId: 'acme-corp', email, name }) // 'cus_…' */
export class Customers {
  readonly #context: BillingContext;
  /** By tenant, as far as they were seen. */
  readonly #known = new Map<string, string>();
  /** The newest in each of Stripe's lists when it was last read to its end, by clock. */
  readonly #newest = new Map<string, string>();
  /** Being looked for or made: who asks meanwhile waits for the same. */
  readonly #underWay = new Map<string, Promise<Stripe.Customer>>();

  constructor(context: BillingContext) {
    this.#context = context;
  }

  async create(contact: TenantContact): Promise<string> {
    const customer = await this.#theOne(contact);
    for (const field of ['email', 'name'] as const) {
      if (plain(customer[field]) !== plain(contact[field])) {
        const { id, [field]: found } = customer;
        throw new CustomerDiffersError(contact.tenantId, id, field, found, contact[field]);
      }
    }
    return customer.id;
  }

  async getOrCreate(contact: TenantContact): Promise<string> {
    return (await this.#theOne(contact)).id;
  }

  async find(tenantId: string): Promise<string | undefined> {
    return (await this.#find(tenantId))?.id;
  }

  async all(): Promise<Map<string, string>> {
    return new Map([...(await this.#read({ onlyNew: false }))].map(([tenantId, { id }]) => [tenantId, id]));
  }

  async for({ tenantId, subscriptionId }: { tenantId: string; subscriptionId?: string | undefined }) {
    if (!subscriptionId) {
      const customerId = await this.find(tenantId);
      if (!customerId) throw new MissingCustomerError(tenantId);
      return customerId;
    }
    const { stripe } = this.#context;
    const { customer, metadata } = await stripe.subscriptions.retrieve(subscriptionId);
    const customerId = idOf(customer);
    const named = metadata[METADATA.tenant];
    // One that was made by hand may name no tenant; its customer does.
    const owner = named || (await existingCustomer(stripe, customerId))?.metadata[METADATA.tenant];
    if (owner !== tenantId) throw new WrongTenantError(subscriptionId, tenantId, owner || undefined);
    return customerId;
  }

  async #theOne(contact: TenantContact): Promise<Stripe.Customer> {
    const tenantId = parseInput(tenantIdSchema, 'tenant id', contact.tenantId);
    const underWay = this.#underWay.get(tenantId) ?? this.#findOrMake(contact);
    this.#underWay.set(tenantId, underWay);
    return underWay.finally(() => this.#underWay.delete(tenantId));
  }

  /** Stripe forgets an idempotency key after a day: what was made before is found by looking. */
  async #findOrMake(contact: TenantContact): Promise<Stripe.Customer> {
    return (await this.#find(contact.tenantId)) ?? (await this.#make(contact));
  }

  async #find(tenantId: string): Promise<Stripe.Customer | undefined> {
    const known = this.#known.get(tenantId);
    const customer = known && (await this.#stillOf(tenantId, known));
    // One that is new here is looked for among those that are new at Stripe.
    return customer || (await this.#read({ onlyNew: !known })).get(tenantId);
  }

  /** What was seen or made before is looked at again: it may be deleted by now, or no longer the tenant's. */
  async #stillOf(tenantId: string, customerId: string): Promise<Stripe.Customer | undefined> {
    const customer = await existingCustomer(this.#context.stripe, customerId);
    return customer?.metadata[METADATA.tenant] === tenantId ? customer : undefined;
  }

  async #read({ onlyNew }: { onlyNew: boolean }): Promise<Map<string, Stripe.Customer>> {
    const { stripe, testClock } = this.#context;
    const found = new Map<string, Stripe.Customer>();
    for (const filter of clockFilters(testClock)) {
      const clock = filter.test_clock ?? '';
      const before = onlyNew ? this.#newest.get(clock) : undefined;
      let newest: string | undefined;
      // The newest comes first; of a tenant's two the oldest counts.
      for await (const customer of stripe.customers.list({ limit: 100, ...filter })) {
        newest ??= customer.id;
        if (customer.id === before) break;
        const tenant = customer.metadata[METADATA.tenant];
        if (tenant) found.set(tenant, customer);
      }
      for (const [tenantId, { id }] of found) {
        if (!onlyNew || !this.#known.has(tenantId)) this.#known.set(tenantId, id);
      }
      // Not before the list was read to its end, or what a failure left out would never be seen.
      if (newest) this.#newest.set(clock, newest);
    }
    return found;
  }

  /** @param gone one that an earlier request of this key has made, and that is no longer there */
  async #make(contact: TenantContact, gone?: string): Promise<Stripe.Customer> {
    const { tenantId, email, name } = contact;
    const { stripe, testClock } = this.#context;
    const clock = await testClock?.place();
    const after = gone && `after:${gone}`;
    const idempotencyKey = ['customer', clock, tenantId, after].filter(Boolean).join(':');
    try {
      const { id } = await stripe.customers.create(
        { email, name, metadata: { [METADATA.tenant]: tenantId }, ...(clock && { test_clock: clock }) },
        { idempotencyKey },
      );
      this.#known.set(tenantId, id);
      return (await this.#stillOf(tenantId, id)) ?? this.#make(contact, id);
    } catch (error) {
      // Somebody else made it since we looked, with other words.
      const made = isIdempotencyConflict(error) ? await this.#find(tenantId) : undefined;
      if (!made) throw error;
      return made;
    }
  }
}

/** Stripe trims what it is given. */
const plain = (text: string | null | undefined) => text?.trim().toLowerCase();
