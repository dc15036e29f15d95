// Whatever a cell threw as the three fields of a Jupyter error: name, message, and a trace that says where
// in the cell it happened and what caused it.
const util = require('node:util');
const { readableStack } = require('./readable-stack.cjs');

/**
 * @param {unknown} thrown
 * @returns {{ ename: string, evalue: string, traceback: string[] }}
 */
function describeError(thrown) {
  if (isInterrupt(thrown)) {
    const evalue = 'The cell was interrupted.';
    return { ename: 'Interrupted', evalue, traceback: [`Interrupted: ${evalue}`] };
  }
  if (!isError(thrown)) {
    const evalue = typeof thrown === 'string' ? thrown : util.inspect(thrown);
    return { ename: 'Thrown', evalue, traceback: [`Thrown: ${evalue}`] };
  }
  return { ename: nameOf(thrown), evalue: messageOf(thrown), traceback: trace(thrown) };
}

/** A fault of the compiler itself, which ends its work without a diagnostic. */
function describeCompilerCrash(crash) {
  const evalue =
    'The compiler of the kernel gave up on this cell. Split it: name each result in a line of its own.';
  return {
    ename: 'TypeScriptCrash',
    evalue,
    traceback: [`TypeScriptCrash: ${evalue}`, `  ${crash?.message ?? crash}`],
  };
}

function isError(thrown) {
  return thrown instanceof Error || util.types.isNativeError(thrown);
}

// The first is how tslab ends an awaiting cell, the second how Node ends one that computes.
function isInterrupt(thrown) {
  return (
    isError(thrown) &&
    (thrown.message === 'Interrupted asynchronously' || thrown.code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED')
  );
}

function nameOf(error) {
  const { name } = error;
  return name === 'Error' ? error.constructor?.name || name : name;
}

function messageOf({ code, message }) {
  const text = String(message);
  return typeof code === 'string' && !text.includes(code) ? `${text} [${code}]`.trim() : text;
}

/** The error, the errors it gathers, and the chain of its causes; a cause that came before ends the chain. */
function trace(error, seen = new Set()) {
  seen.add(error);
  const lines = [`${nameOf(error)}: ${messageOf(error)}`, ...readableStack(error)];
  const further = [
    ...(error instanceof AggregateError ? error.errors.map((inner) => ['One of them', inner]) : []),
    ...(error.cause === undefined ? [] : [['Caused by', error.cause]]),
  ];
  for (const [relation, inner] of further) {
    if (seen.has(inner)) continue;
    const [first, ...rest] = isError(inner) ? trace(inner, seen) : [util.inspect(inner)];
    lines.push(`${relation} ${first}`, ...rest);
  }
  return lines;
}

module.exports = { describeCompilerCrash, describeError };
