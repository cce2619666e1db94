/** Where a command reads and writes: what differs between a terminal, a pipe and a script is asked here. */
export class Terminal {
  constructor(
    readonly stdin: NodeJS.ReadStream,
    readonly stdout: NodeJS.WriteStream,
    readonly stderr: NodeJS.WriteStream,
    readonly env: NodeJS.ProcessEnv,
  ) {
    // The reader of a pipe may have read enough: `hopline failed | head`.
    for (const stream of [stdout, stderr]) {
      stream.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'EPIPE') process.exit(0);
        throw error;
      });
    }
  }

  /** Somebody sits there who can answer. */
  get canAsk(): boolean {
    return this.stdin.isTTY === true && this.stderr.isTTY === true;
  }

  /** Of standard output, if it is a terminal: what is longer is cut there and nowhere else. */
  get width(): number | undefined {
    return this.stdout.isTTY ? this.stdout.columns || 80 : undefined;
  }

  /** Whether a bar can be drawn on standard error. */
  get canDraw(): boolean {
    return this.stderr.isTTY === true && this.env.TERM !== 'dumb';
  }

  /** Bold, on a terminal that wants it (https://no-color.org). */
  strong(text: string): string {
    const plain = !this.stdout.isTTY || this.env.NO_COLOR || this.env.TERM === 'dumb';
    return plain ? text : `\u001b[1m${text}\u001b[22m`;
  }

  /** A line of the result. */
  print(line: string): void {
    this.stdout.write(`${line}\n`);
  }

  /** A line about the result: not part of what a pipe gets. */
  tell(line: string): void {
    this.stderr.write(`${line}\n`);
  }

  /** The whole result, with the pipe's own pace. */
  async write(chunk: string | Buffer): Promise<void> {
    if (this.stdout.write(chunk)) return;
    await new Promise<void>((resolve) => this.stdout.once('drain', resolve));
  }

  /** @returns true for a yes; anything else, and the end of the input, is a no */
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

  /** Resolves when everything written is out. */
  async flushed(): Promise<void> {
    for (const stream of [this.stdout, this.stderr])
      await new Promise<void>((resolve) => stream.write('', () => resolve()));
  }
}
