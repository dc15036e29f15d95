// Opens the services of a workspace, prints what it got as one line of JSON, and stays until its stdin ends.
// Arguments: folder of the workspaces, name, the environment as JSON, and `exit` to leave without closing.
import { readConfig } from '../../.build/config.js';
import { openServices } from '../../.build/services/open-services.js';

const [dataDir, workspace, environment = '{}', ending] = process.argv.slice(2);
const config = readConfig({ PATH: process.env.PATH, ...JSON.parse(environment) });
const services = await openServices({ workspace, dataDir, config });
const { clickhouse, redis } = services;
let redisPid;
let seen;
if (redis.mode !== 'off') redisPid = Number(/process_id:(\d+)/.exec(await redis.client.info('server'))[1]);
if (clickhouse.mode !== 'off') {
  await clickhouse.client.command({
    query: 'CREATE TABLE IF NOT EXISTS seen (n UInt8) ENGINE = MergeTree ORDER BY n',
  });
  await clickhouse.client.command({ query: 'INSERT INTO seen VALUES (1)' });
  const result = await clickhouse.client.query({
    query: 'SELECT count() AS n FROM seen',
    format: 'JSONEachRow',
  });
  seen = Number((await result.json())[0].n);
}
console.log(
  JSON.stringify({
    path: services.workspace,
    clickhouse: clickhouse.mode,
    redis: redis.mode,
    redisPid,
    seen,
  }),
);
if (ending === 'exit') process.exit();
for await (const _ of process.stdin);
await services.close();
