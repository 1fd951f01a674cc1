/**
 * How far the heaps of a process grow before their garbage is collected. Main thread, before the others are started.
 */
import { setFlagsFromString } from 'node:v8'

/**
 * Percent of what was alive after the last collection of a whole heap. With 50 instead a server that ran the 7-operation
 * policy had 34 MB less, and a report took a fifth more processor time.
 */
const GROWTH = 100

/**
 * Has V8 collect all heaps of this process, those of its threads too, when they have grown to the double. Where memory is
 * plenty V8 lets them grow to the fourfold, and the store thread, whose rows live just long enough to become old, filled that.
 */
export function collectEarlier(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH}`)
}
