import type { ClickHouseClient } from '@clickhouse/client';

/** What tests ask of ClickHouse, by the statement alone. */
export interface Statements {
  /** Rows of a query. */
  rows<Row>(query: string): Promise<Row[]>;
  command(query: string): Promise<void>;
}

/** @example const { rows } = statementsOf(clickhouse); await rows('SELECT 1 AS one') // [{ one: 1 }] */
export const statementsOf = (clickhouse: ClickHouseClient): Statements => ({
  async rows(query) {
    return (await clickhouse.query({ query, format: 'JSONEachRow' })).json();
  },
  async command(query) {
    await clickhouse.command({ query });
  },
});
