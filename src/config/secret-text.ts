/**
 * Text that must not be seen: it prints as "[secret]" wherever it is logged, interpolated or turned into JSON.
 * Pure; used on every thread that talks to other systems.
 */
import { inspect } from 'node:util'

const REDACTED = '[secret]'

/** Only `reveal()` gives the text back; call it where the text is put to use, and nowhere else. */
export class SecretText {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  reveal(): string {
    return this.#text
  }

  toJSON(): string {
    return REDACTED
  }

  toString(): string {
    return REDACTED
  }

  [inspect.custom](): string {
    return REDACTED
  }
}
