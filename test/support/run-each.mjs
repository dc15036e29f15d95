// Runs a command of the library with one set of arguments after the other, each as if it had been started with
// them, and prints what came of each. Arguments: the command's file, and JSON of [{ args, env }, …].
const [, , file, given] = process.argv;
const before = { ...process.env };
const streams = [process.stdout, process.stderr];
const writes = streams.map((stream) => stream.write);
const results = [];
for (const [number, { args, env }] of JSON.parse(given).entries()) {
  let printed = '';
  const note = (text) => {
    printed += text;
    return true;
  };
  for (const stream of streams) stream.write = note;
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  Object.assign(process.env, before, env);
  process.argv = [process.argv[0], file, ...args];
  process.exitCode = 0;
  // Under another address the command is another module, and runs again; what it imports is there already.
  await import(`${file}?${number}`);
  results.push({ code: process.exitCode, printed });
}
for (const [index, stream] of streams.entries()) stream.write = writes[index];
process.exitCode = 0;
console.log(JSON.stringify(results));
