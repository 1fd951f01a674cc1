/**
 * Who runs the lines of a console: a server at the other end of the control socket, or the one in this process.
 */
export interface CommandRunner {
  /**
   * @returns the answer; that of a failed command begins with `Error: `
   * @throws TrackError TRK_CONTROL_* when the server cannot be asked.
   */
  run(line: string): Promise<string>
  /** The user does not want to wait for the answer any more; `run` is rejected. */
  interrupt(): void
  close(): void
}
