/** Whether something of a page is pressed: under a finger or a held button, nothing may move before it is lifted. */
export class Pressing {
  private isPressed = false;
  private held: (() => void) | undefined;

  /**
   * @param of what may be pressed
   * @param around where it is told that it is over, also if the pointer has left
   */
  constructor(of: EventTarget, around: EventTarget) {
    of.addEventListener('pointerdown', (event) => {
      // Another button opens a menu, after which browsers tell of no end.
      if ((event as PointerEvent).button === 0) this.isPressed = true;
    });
    for (const end of ['pointerup', 'pointercancel']) around.addEventListener(end, () => this.over());
  }

  /** Runs it now, or the latest of them once the pointer is lifted. */
  whenFree(run: () => void): void {
    if (this.isPressed) this.held = run;
    else run();
  }

  private over(): void {
    this.isPressed = false;
    // After the click that this may be.
    setTimeout(() => {
      const run = this.held;
      this.held = undefined;
      run?.();
    });
  }
}
