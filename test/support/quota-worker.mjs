// Reserves `count` queries of one tenant at once, on a Redis of somebody else; prints how many passed.
// Arguments: port, password, count. Waits for a line on stdin, so that all workers begin together.
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { redisQuotaGate } from '../../.build/quotas/redis-quota-gate.js';

const [port, password, count] = process.argv.slice(2);
const client = new Redis({ host: '127.0.0.1', port: Number(port), password });
const gate = redisQuotaGate(client);
const request = {
  tenantId: 'crowd',
  amounts: { queries: 1, tokens: 100 },
  limits: { queries: 1_000, tokens: 1_000_000 },
  now: new Date('2025-11-15T12:00:00Z'),
};
await gate.ping();
console.log('ready');
await once(process.stdin, 'data');
const decisions = await Promise.all(Array.from({ length: Number(count) }, () => gate.reserve(request)));
console.log(decisions.filter(({ allowed }) => allowed).length);
client.disconnect();
process.exit();
