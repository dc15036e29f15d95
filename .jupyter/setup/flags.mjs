// The flags of a command that takes nothing else. A word that it does not know ends it before anything is
// done: what follows a mistyped --dry-run is not what was meant.
import { parseArgs } from 'node:util';

/**
 * @param {...string} names without dashes
 * @returns {Record<string, boolean | undefined>} which of them were given
 */
export function readFlags(...names) {
  const short = (name) => (name === 'help' ? { short: 'h' } : {});
  const options = Object.fromEntries(names.map((name) => [name, { type: 'boolean', ...short(name) }]));
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    if (!error.code?.startsWith('ERR_PARSE_ARGS')) throw error;
    // Node goes on with advice on how to pass such a word on; these commands take none.
    console.error(`${error.message.split('. ')[0]}: this command takes ${list(names)}.`);
    process.exit(1);
  }
}

function list(names) {
  return names.map((name) => `--${name}`).join(', ');
}
