// The kernel's side of Jupyter's protocol: tslab's server, completed where it falls short. It sends error
// messages and execution counts, answers what Jupyter asks beside cells, and ends when told to.
const { addBackgroundError, listen, takeBackgroundErrors } = require('./background-errors.cjs');
const { CellQueue, turn } = require('./cell-queue.cjs');
const { describeError } = require('./describe-error.cjs');
const { echoing } = require('./heartbeat.cjs');
const { ordered } = require('./ordered-socket.cjs');
const { StillRunning } = require('./still-running.cjs');
const { StreamBuffer } = require('./stream-buffer.cjs');
const { JupyterHandlerImpl, ZmqServer } = require('./tslab.cjs');

/**
 * How long an end that was asked for waits for errors of work that nobody awaited: long enough for a refused
 * connection or a failed write, short enough that nobody who closes a notebook notices.
 */
const LATE_ERRORS_MS = 250;

/** What a cell shows; an update is of what is shown already. */
const OUTPUTS = ['stream', 'display_data', 'error'];

class KernelServer extends ZmqServer {
  #bound;
  #executor;
  #heartbeat;
  #outputs;
  #queue = new CellQueue();
  #endAsked = false;
  #stillRunning = new StillRunning((...message) => this.#publish(...message));
  #streams = new StreamBuffer((name, text, request) => this.#send('stream', { name, text }, request));
  /** The terminal's or log's own; while cells run, stderr goes to the notebook. */
  #log = process.stderr.write.bind(process.stderr);

  constructor(executor, configPath) {
    super(new JupyterHandlerImpl(executor, false), configPath);
    this.#executor = executor;
    process.on('exit', (code) => {
      if (!this.#endAsked) addBackgroundError(new Error(`process.exit(${code}) ended the kernel`));
    });
    listen();
  }

  // tslab sets both when it makes its sockets, and reads them to bind, send and close.
  set hb(socket) {
    this.#heartbeat = echoing(socket);
  }

  get hb() {
    return this.#heartbeat;
  }

  set iopub(socket) {
    this.#outputs = ordered(socket);
  }

  get iopub() {
    return this.#outputs;
  }

  /** A message that came before all sockets are bound would be answered into one that is not ready. */
  init() {
    this.#bound = super.init();
    return this.#bound;
  }

  publishStatus(status, message) {
    this.#streams.flush();
    super.publishStatus(status, message);
  }

  async handleShellMessage(socket, ...parts) {
    await this.#bound;
    try {
      await super.handleShellMessage(socket, ...parts);
    } catch (error) {
      // The cell that ran while the end was asked for has nobody left to answer to.
      if (this.#endAsked) return;
      // A completion that the compiler cannot give is no error of any cell.
      this.#log(`Cannot answer a message: ${error?.stack ?? error}\n`);
    }
  }

  async handleExecute(socket, message) {
    const { silent, stop_on_error: stopOnError } = message.content;
    const content = await this.#queue.add(async () => {
      const execution_count = this.handler.execCount + 1;
      if (!silent) this.#send('execute_input', { code: message.content.code, execution_count }, message);
      if (!silent) this.#stillRunning.begin(message);
      const failure = await this.#run(message);
      if (failure) this.#send('error', failure, message);
      this.#stillRunning.end();
      if (!failure) return { status: 'ok', execution_count, payload: [], user_expressions: {} };
      if (stopOnError !== false) await this.#queue.abortWaiting();
      return { status: 'error', execution_count, ...failure };
    });
    this.#send('execute_reply', content ?? { status: 'aborted' }, message, socket);
  }

  /** Runs the cell and gives its failure, or else the first error that came up in the background. */
  async #run(message) {
    const earlier = takeBackgroundErrors();
    const write = (name, text) => this.#streams.write(name, text, message);
    const display = (data, update) =>
      this.#send(update ? 'update_display_data' : 'display_data', data, message);
    let failure;
    try {
      await this.handler.handleExecuteImpl(message.content, write, display);
    } catch (thrown) {
      failure = this.#executor.failure() ?? describeError(thrown);
    }
    await turn(); // Rejections of this cell come up when the event loop gets its turn.
    const unawaited = [
      ...earlier.map((error) => withNote('Not awaited, from an earlier cell: ', error)),
      ...takeBackgroundErrors().map((error) => withNote('Not awaited: ', error)),
    ];
    return join(failure ? [failure, ...unawaited] : unawaited);
  }

  handleCommInfoRequest(socket, message) {
    this.#send('comm_info_reply', { status: 'ok', comms: {} }, message, socket);
  }

  handleShutdown(socket, message) {
    this.expectEnd();
    this.#send('shutdown_reply', { status: 'ok', restart: message.content.restart }, message, socket);
  }

  /** Jupyter asks for the end in other ways too: by a signal, or by being gone. It is no error of a cell. */
  expectEnd() {
    this.#endAsked = true;
  }

  /** Ends the process although timers, servers or clients of cells are still open. */
  close() {
    super.close();
    setTimeout(() => process.exit(0), LATE_ERRORS_MS);
  }

  #send(type, content, parent, socket) {
    this.#streams.flush();
    if (OUTPUTS.includes(type)) this.#stillRunning.giveWay();
    this.#publish(type, content, parent, socket);
  }

  #publish(type, content, parent, socket = this.iopub) {
    const message = parent.createReply();
    message.header.msg_type = type;
    message.content = content;
    message.signAndSend(this.connInfo.key, socket);
  }
}

function withNote(note, { ename, evalue, traceback: [first, ...rest] }) {
  return { ename, evalue, traceback: [note + first, ...rest] };
}

function join([first, ...others]) {
  return first && { ...first, traceback: [first, ...others].flatMap(({ traceback }) => traceback) };
}

module.exports = { KernelServer };
