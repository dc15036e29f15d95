// A folder that this user may not write to: said in a sentence, where it would be a stack.
import { root } from './paths.mjs';

const CODES = ['EACCES', 'EPERM', 'EROFS'];

/**
 * @param {NodeJS.ErrnoException} error
 * @returns {string | undefined} the sentence to say, if the error is of this kind
 */
export function readOnlyComplaint({ code, path }) {
  if (!CODES.includes(code)) return undefined;
  return `Cannot write ${path} (${code}): copy the project to a folder of your own, as in \`cp -R ${root} ~/meterbridge\`, and run the command there.`;
}
