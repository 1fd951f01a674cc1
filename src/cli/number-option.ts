/**
 * Options of the command line that are numbers. Pure.
 */
import { InvalidArgumentError } from 'commander'

/** Reads a whole number within limits, both of which are allowed. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    throw new InvalidArgumentError(`It is a whole number from ${least} to ${most}.`)
  }
}
