/**
 * Input and output of a command. The differences between a terminal, a pipe and a script are known only here.
 */
export class Terminal {
  constructor(
    readonly stdin: NodeJS.ReadStream,
    readonly stdout: NodeJS.WriteStream,
    readonly stderr: NodeJS.WriteStream,
    readonly env: NodeJS.ProcessEnv,
  ) {
    // The reader of a pipe may close it early: `hopline failed | head`.
    for (const stream of [stdout, stderr]) {
      stream.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'EPIPE') process.exit(0);
        throw error;
      });
    }
  }

  /** True if a user can answer a question. */
  get canAsk(): boolean {
    return this.stdin.isTTY === true && this.stderr.isTTY === true;
  }

  /** Width of standard output if it is a terminal, where longer lines are cut; undefined elsewhere. */
  get width(): number | undefined {
    return this.stdout.isTTY ? this.stdout.columns || 80 : undefined;
  }

  /** True if a progress bar can be drawn on standard error. */
  get canDraw(): boolean {
    return this.stderr.isTTY === true && this.env.TERM !== 'dumb';
  }

  /** Makes text bold, on a terminal that allows it (https://no-color.org). */
  strong(text: string): string {
    const plain = !this.stdout.isTTY || this.env.NO_COLOR || this.env.TERM === 'dumb';
    return plain ? text : `\u001b[1m${text}\u001b[22m`;
  }

  /** Prints a line of the result. */
  print(line: string): void {
    this.stdout.write(`${line}\n`);
  }

  /** Prints a line about the result on standard error, so that a pipe does not get it. */
  tell(line: string): void {
    this.stderr.write(`${line}\n`);
  }

  /** Writes the whole result, at the pipe's own pace. */
  async write(chunk: string | Buffer): Promise<void> {
    if (this.stdout.write(chunk)) return;
    await new Promise<void>((resolve) => this.stdout.once('drain', resolve));
  }

  /** Asks a question. @returns true for a yes; false for anything else, and for the end of the input */
  async ask(question: string): Promise<boolean> {
    const { createInterface } = await import('node:readline/promises');
    const lines = createInterface({ input: this.stdin, output: this.stderr });
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    try {
      const answer = await Promise.race([lines.question(`${question} [y/N] `), ended]);
      return /^y(es)?$/i.test(answer.trim());
    } finally {
      lines.close();
    }
  }

  /** Asks for a text that the terminal does not show. @returns '' at Ctrl-C, and at the end of the input */
  async askSecret(question: string): Promise<string> {
    const { createInterface } = await import('node:readline/promises');
    const { Writable } = await import('node:stream');
    // What readline would write is what was typed: this keeps it to itself.
    const output = new Writable({ write: (_chunk, _encoding, done) => done() });
    const lines = createInterface({ input: this.stdin, output, terminal: true });
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    this.stderr.write(question);
    try {
      return await Promise.race([lines.question(''), ended]);
    } finally {
      this.stderr.write('\n');
      lines.close();
    }
  }

  /** Resolves when all output is written. */
  async flushed(): Promise<void> {
    for (const stream of [this.stdout, this.stderr])
      await new Promise<void>((resolve) => stream.write('', () => resolve()));
  }
}
