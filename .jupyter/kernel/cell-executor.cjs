// Compiles and runs one cell after the other with tslab's converter and executor. What went wrong is handed
// over as the error or the diagnostics themselves; tslab would print them to stderr and forget them.
const { cellMaps } = require('./cell-maps.cjs');
const { describeDiagnostics } = require('./describe-diagnostics.cjs');
const { describeCompilerCrash, describeError } = require('./describe-error.cjs');
const { createConverter, createExecutor } = require('./tslab.cjs');

/**
 * @param {string} root folder from which cells import
 * @returns tslab's executor; after an `execute` that resolved to `false`, `failure()` gives the reason as
 *   `{ ename, evalue, traceback }`
 */
function createCellExecutor(root) {
  let count = 0;
  let source = '';
  let failure;
  let complaints = [];

  const converter = createConverter({ isJS: false, isBrowser: false });
  const node = { ...converter, convert };
  const executor = createExecutor(
    root,
    { node, browser: node, close: () => converter.close() },
    {
      log: (value) => console.log(value),
      error: (...complaint) => complaints.push(complaint),
    },
  );

  function convert(earlier, cell) {
    const converted = converter.convert(earlier, cell);
    if (!converted.output) return converted;
    const name = `cell[${count}]`;
    // The name that stands in stacks, see readable-stack.cjs.
    const output = `${converted.output}\n//# sourceURL=${name}`;
    cellMaps.keep(name, cell, output);
    return {
      ...converted,
      output,
      // tslab runs a cell as an async function only where it sees an await, and misses `for await` and
      // `await (`. In an async function every cell runs alike.
      hasToplevelAwait: true,
    };
  }

  async function execute(cell) {
    count += 1;
    source = cell;
    complaints = [];
    failure = undefined;
    try {
      await executor.execute(cell);
    } catch (crash) {
      failure = describeCompilerCrash(crash);
      return false;
    }
    if (complaints.length > 0) failure = describe(complaints);
    return failure === undefined;
  }

  function describe([first, ...others]) {
    // One argument is what the cell threw, several are the parts of a diagnostic.
    if (first.length === 1) return describeError(first[0]);
    const diagnostics = [first, ...others].map(([, file, line, column, message]) => ({
      file: file.trim(),
      line,
      column,
      message,
    }));
    return describeDiagnostics(diagnostics, source);
  }

  return { ...executor, execute, failure: () => failure };
}

module.exports = { createCellExecutor };
