/** `npm run webhooks`: the events whose handler failed every time. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { WebhookQueue } from '../billing/webhooks/webhook-queue.js';
import { readConfig } from '../config.js';
import { openServices } from '../services/open-services.js';
import { runCommand } from './run-command.js';

const HELP = `npm run webhooks -- list | retry [ID…] [--workspace NAME]

The dead letters: Stripe's events whose handler failed every time.

  list              prints each with its type, its object and the reason
  retry             has all of them tried again, as often as a new event is; or those named
  --workspace NAME  whose Redis, where none is configured; default serve
`;

await runCommand(HELP, async (args) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { workspace: { type: 'string' } },
  });
  const [task, ...ids] = positionals;
  if (task !== 'retry' && (task !== 'list' || ids.length > 0)) {
    throw new RangeError('Cannot tell what to do: say list, or retry with or without ids of events');
  }
  const config = readConfig();
  const { workspace = 'serve' } = values;
  if (values.workspace !== undefined && config.redis)
    throw new RangeError('Cannot take --workspace: the settings name the Redis');
  // It would be made, and have no dead letters.
  if (values.workspace !== undefined && !existsSync(join('.data', workspace)))
    throw new RangeError(`Cannot read --workspace ${JSON.stringify(workspace)}: there is none in .data/`);
  const services = await openServices({ workspace, config });
  try {
    const { redis } = services;
    if (redis.mode === 'off') throw new Error(`Cannot read the dead letters: ${redis.skip}`);
    const isTaken = basename(services.workspace) !== workspace;
    if (redis.mode === 'embedded' && isTaken) {
      throw new Error(
        `Cannot read the dead letters: another process has the Redis of ${workspace}; ` +
          'stop it, or set REDIS_URL',
      );
    }
    const queue = new WebhookQueue(redis.client);
    try {
      return await (task === 'list' ? list(queue) : retry(queue, ids));
    } finally {
      await queue.close();
    }
  } finally {
    await services.close();
  }
});

async function list(queue: WebhookQueue): Promise<number> {
  const letters = await queue.deadLetters();
  for (const { event, reason } of letters) {
    console.log(`${event.id}  ${event.type}  ${event.objectId}  ${reason}`);
  }
  if (letters.length === 0) console.log('no dead letters');
  return 0;
}

async function retry(queue: WebhookQueue, ids: readonly string[]): Promise<number> {
  const known = (await queue.deadLetters()).map(({ event }) => event.id);
  const unknown = ids.filter((id) => !known.includes(id));
  if (unknown.length > 0)
    throw new RangeError(`Cannot retry ${unknown.join(', ')}: no dead letter has this id`);
  const count = await queue.retryDeadLetters(ids.length > 0 ? ids : undefined);
  console.log(`${count} ${count === 1 ? 'event is' : 'events are'} tried again`);
  return 0;
}
