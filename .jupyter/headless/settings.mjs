// The settings that a notebook will see: the environment, and behind it the project's .env.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
// Not by its name: an older Node has none, and could then not even say that it is too old.
import util from 'node:util';
import { root } from '../setup/paths.mjs';

/** Settings with which a notebook prints something else than the one that was committed. */
const CHANGING = ['CLICKHOUSE_URL', 'CLICKHOUSE_HOST', 'REDIS_URL', 'REDIS_HOST', 'MB_EVENTS', 'OFFLINE'];

/** @returns {boolean} whether all services are off on purpose */
export function isOffline() {
  return /^(true|1|yes)$/i.test(settings().OFFLINE);
}

/** @returns {string[]} the names of those that are set and change what a notebook prints */
export function changingSettings() {
  const all = settings();
  return CHANGING.filter((name) => all[name]);
}

function settings() {
  const file = join(root, '.env');
  return { ...(existsSync(file) ? util.parseEnv(readFileSync(file, 'utf8')) : {}), ...process.env };
}
