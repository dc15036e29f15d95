// The embedded ClickHouse comes as an optional package of its own for each platform, and npm goes on without
// a word when that one cannot be had.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { modules } from './paths.mjs';

/**
 * @param {string} [folder] @default node_modules
 * @returns {string | undefined} the sentence to say if the engine is not there
 */
export function engineComplaint(folder = modules, { platform, arch } = process) {
  const name = `@chdb/lib-${platform}-${arch}${platform === 'linux' ? '-gnu' : ''}`;
  if (existsSync(join(folder, name, 'chdb_node.node'))) return undefined;
  if (platform === 'win32') {
    return 'ClickHouse is off: there is no embedded engine for Windows, so run the project in WSL (`wsl --install`), or name a server in CLICKHOUSE_URL.';
  }
  return `ClickHouse is off: its embedded engine (${name}) is not installed, so name a server in CLICKHOUSE_URL, or try \`npm install --no-save ${name}\`.`;
}
