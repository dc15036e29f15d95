// Replay of a fallback file against the plain way: line by line, parse, insert.
import { randomUUID } from 'node:crypto';
import { createReadStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createEvent, PRICE_TABLES, UsageTracker } from 'meterbridge';
import { withEngine } from './engine.mjs';
import { pairs, seconds } from './pairs.mjs';

export const names = ['replay.vs_lines'];

const ROWS = 200_000;
const BATCH = 10_000;

export async function run(report) {
  await withEngine(async ({ clickhouse, folder }) => {
    const now = new Date();
    const events = Array.from({ length: ROWS }, (_, n) =>
      createEvent(
        {
          tenantId: `tenant-${String(n % 1_000).padStart(4, '0')}`,
          model: 'gpt-4o',
          tokensInput: 170,
          tokensOutput: 12,
        },
        { priceTables: PRICE_TABLES, now },
      ),
    );
    const lines = join(folder, 'lines.jsonl');
    writeFileSync(lines, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    let runs = 0;
    const replayed = async () => {
      runs += 1;
      const fallbackFile = join(folder, `${runs}.jsonl`);
      const away = new UsageTracker(undefined, {
        fallbackFile,
        batchSize: 1_000_000_000,
        maxBuffered: 1_000_000_000,
      });
      for (let n = 0; n < ROWS; n += 1) {
        away.track({
          tenantId: `tenant-${String(n % 1_000).padStart(4, '0')}`,
          model: 'gpt-4o',
          tokensInput: 170,
          tokensOutput: 12,
        });
      }
      await away.close();
      const back = new UsageTracker(clickhouse, { fallbackFile });
      const took = await seconds(() => back.flush());
      await back.close();
      return took;
    };
    const plain = () =>
      seconds(async () => {
        let rows = [];
        const store = async () => {
          await clickhouse.command({ query: `SET insert_deduplication_token = '${randomUUID()}'` });
          await clickhouse.insert({ table: 'usage_events', values: rows, format: 'JSONEachRow' });
          await clickhouse.command({ query: 'SET insert_deduplication_token = DEFAULT' });
          rows = [];
        };
        for await (const line of createInterface({ input: createReadStream(lines) })) {
          rows.push(JSON.parse(line));
          if (rows.length === BATCH) await store();
        }
        if (rows.length > 0) await store();
      });
    const { b, ratio } = await pairs(plain, replayed, { rounds: 5 });
    report({
      name: 'replay.vs_lines',
      value: ROWS / b,
      unit: 'rows/s',
      against: 'readline, JSON.parse, insert',
      ratio,
    });
  });
}
