/** The customer of a tenant: one for each, found by the tenant's id. */
import { parseInput, tenantId as tenantIdSchema } from '../input.js';
import { type BillingContext, METADATA } from './context.js';
import type { TenantContact } from './shapes.js';
import { clockFilters } from './test-clock.js';

/** @example await new Customers(context).getOrCreate({ tenantId: 'acme-corp', email, name }) // 'cus_…' */
export class Customers {
  readonly #context: BillingContext;
  /** By tenant, as far as they were seen. */
  readonly #known = new Map<string, string>();
  /** Being made: who asks meanwhile waits for the same. */
  readonly #making = new Map<string, Promise<string>>();

  constructor(context: BillingContext) {
    this.#context = context;
  }

  async create(contact: TenantContact): Promise<string> {
    const tenantId = parseInput(tenantIdSchema, 'tenant id', contact.tenantId);
    const making = this.#making.get(tenantId) ?? this.#create({ ...contact, tenantId });
    this.#making.set(tenantId, making);
    return making.finally(() => this.#making.delete(tenantId));
  }

  async getOrCreate(contact: TenantContact): Promise<string> {
    return (await this.find(contact.tenantId)) ?? this.create(contact);
  }

  async find(tenantId: string): Promise<string | undefined> {
    if (this.#known.has(tenantId)) return this.#known.get(tenantId);
    const { stripe, testClock } = this.#context;
    for (const filter of clockFilters(testClock)) {
      for await (const { id, metadata } of stripe.customers.list({ limit: 100, ...filter })) {
        const tenant = metadata[METADATA.tenant];
        if (tenant) this.#known.set(tenant, id);
      }
    }
    return this.#known.get(tenantId);
  }

  async attachCard({
    customerId,
    paymentMethodId,
  }: {
    customerId: string;
    paymentMethodId: string;
  }): Promise<void> {
    const { stripe } = this.#context;
    const { id } = await stripe.paymentMethods.attach(paymentMethodId, { customer: customerId });
    await stripe.customers.update(customerId, { invoice_settings: { default_payment_method: id } });
  }

  async hasCard(customerId: string): Promise<boolean> {
    const customer = await this.#context.stripe.customers.retrieve(customerId);
    return !customer.deleted && customer.invoice_settings.default_payment_method !== null;
  }

  async #create({ tenantId, email, name }: TenantContact): Promise<string> {
    const { stripe, testClock } = this.#context;
    const clock = await testClock?.place();
    const { id } = await stripe.customers.create(
      { email, name, metadata: { [METADATA.tenant]: tenantId }, ...(clock && { test_clock: clock }) },
      { idempotencyKey: `customer:${clock ? `${clock}:` : ''}${tenantId}` },
    );
    this.#known.set(tenantId, id);
    return id;
  }
}
