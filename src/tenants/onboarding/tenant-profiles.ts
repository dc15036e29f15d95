/** Who a tenant is: the one home of its personal data. Redis has none of it, logs and messages neither. */
import type { ClickHouseClient } from '@clickhouse/client';
import type { PlanName } from '../../plans.js';
import { deleteRows, insertRows } from '../../tenant-rows.js';
import type { Forget } from '../purge-tenant.js';

export interface TenantProfile {
  readonly tenantId: string;
  /** As it was written, less the space around it. */
  readonly company: string;
  /** In lower case. */
  readonly email: string;
  /** The plan that was signed up for. */
  readonly plan: PlanName;
  /** Stripe's id of the card, `pm_…`: a card's number never comes here. */
  readonly paymentMethod: string;
  /** Which card this is of those that were given: 1 is that of the signup. */
  readonly cardNumber: number;
  readonly createdAt: Date;
}

/* One row for each tenant; of several the one with its newest card. */
const TENANT_PROFILES_TABLE = `
  CREATE TABLE IF NOT EXISTS tenant_profiles
  (
    tenant_id      String,
    company        String,
    email          String               COMMENT 'in lower case; one tenant for each',
    plan           LowCardinality(String),
    payment_method String               COMMENT 'id at Stripe, pm_…',
    card_number    UInt32               COMMENT '1: the card of the signup; one more for each that replaced it',
    created_at     DateTime64(3, 'UTC')
  )
  ENGINE = ReplacingMergeTree(card_number)
  ORDER BY tenant_id`;

export class TenantProfiles {
  readonly #clickhouse: ClickHouseClient;

  private constructor(clickhouse: ClickHouseClient) {
    this.#clickhouse = clickhouse;
  }

  /** @example const profiles = await TenantProfiles.open(clickhouse); */
  static async open(clickhouse: ClickHouseClient): Promise<TenantProfiles> {
    await clickhouse.command({ query: TENANT_PROFILES_TABLE });
    return new TenantProfiles(clickhouse);
  }

  async of(tenantId: string): Promise<TenantProfile | undefined> {
    const [profile] = await this.#read('tenant_id = {tenantId:String}', { tenantId });
    return profile;
  }

  /** Those with this id or this e-mail. */
  async find({ tenantId, email }: Pick<TenantProfile, 'tenantId' | 'email'>): Promise<TenantProfile[]> {
    return this.#read('tenant_id = {tenantId:String} OR email = {email:String}', { tenantId, email });
  }

  /** When this returns, it is kept. */
  async keep(profile: TenantProfile): Promise<void> {
    const { tenantId, company, email, plan, paymentMethod, cardNumber, createdAt } = profile;
    const card = { payment_method: paymentMethod, card_number: cardNumber };
    const row = { tenant_id: tenantId, company, email, plan, ...card, created_at: createdAt.getTime() };
    await insertRows(this.#clickhouse, 'tenant_profiles', [JSON.stringify(row)]);
  }

  /** When this returns, nothing of it is left. */
  async forget(tenantId: string): ReturnType<Forget> {
    await deleteRows(this.#clickhouse, 'tenant_profiles', [tenantId]);
    const why = 'who the tenant was';
    return { lines: [{ store: 'ClickHouse', what: 'profile: company, e-mail, card', fate: 'removed', why }] };
  }

  async #read(where: string, params: Record<string, string>): Promise<TenantProfile[]> {
    const result = await this.#clickhouse.query({
      query: `
        SELECT
          tenant_id AS tenantId,
          company,
          email,
          plan,
          payment_method AS paymentMethod,
          card_number AS cardNumber,
          toUnixTimestamp64Milli(created_at) AS ms
        FROM tenant_profiles FINAL
        WHERE ${where}`,
      query_params: params,
      format: 'JSONEachRow',
    });
    const rows = await result.json<Omit<TenantProfile, 'createdAt'> & { ms: number }>();
    return rows.map(({ ms, ...row }) => ({ ...row, createdAt: new Date(Number(ms)) }));
  }
}
