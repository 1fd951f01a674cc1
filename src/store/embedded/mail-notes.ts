/**
 * When users were last written to, so that the pause between two mails to one of them outlasts a restart. Store thread;
 * memory holds their number. At most as many are kept as the port says: those go first that would go first anyway.
 */
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { ALERT_STORE_DEFAULTS, type LastMail, type MailNote } from '../alert-store.ts'
import { decodeMail, type MailRecord, sealJson } from './alert-records.ts'
import type { Database } from './database.ts'
import type { GroupCommit } from './group-commit.ts'
import { MAX_NUMBER, numberKey, numberOfKey, PREFIX, wholePrefix } from './keys.ts'
import type { WriteBatch } from './write-batch.ts'
import type { Participant } from './write-jobs.ts'

type Writer = Pick<GroupCommit, 'submit' | 'join'>

/** Of a sink and an address. */
const HASH_BYTES = 16
const PAGE = 256

export class MailNotes implements Participant {
  readonly #database: () => Database
  readonly #maxNotes: number
  #count = 0
  /** Records that the batch in work has put, by the text of their key. */
  readonly #staged = new Map<string, MailRecord>()

  constructor(database: () => Database, maxNotes: number = ALERT_STORE_DEFAULTS.maxMailNotes) {
    this.#database = database
    this.#maxNotes = maxNotes
  }

  async load(): Promise<void> {
    this.#count = 0
    for await (const page of this.#database().pages(wholePrefix(PREFIX.mail), PAGE))
      this.#count += page.length
  }

  last(sink: string, address: string): LastMail | undefined {
    const record = this.#read(mailKey(sink, address))
    return record === undefined ? undefined : { deliveryId: record.deliveryId, atMs: record.atMs }
  }

  stage(batch: WriteBatch, { sink, address, ...record }: MailNote): void {
    const key = mailKey(sink, address)
    const before = this.#read(key)
    if (before === undefined) this.#count++
    else batch.delete(timeKeyOfMail(key, before))
    this.#staged.set(textOf(key), record)
    batch.put(key, sealJson(key, record))
    stageMailIndex(batch, key, record)
  }

  /** Removes what nobody asks for any more and what is above the bound, page by page. */
  async expire(writer: Writer, nowMs: number, isStopped: () => boolean): Promise<void> {
    while (!isStopped()) {
      const page = await this.#database().scan({ ...wholePrefix(PREFIX.mailByTime), limit: PAGE })
      const surplus = this.#count - this.#maxNotes
      const due = page
        .map(([key]) => key)
        .filter((key, index) => index < surplus || numberOfKey(key) <= nowMs)
      if (due.length === 0) return
      await writer.join((batch) => {
        for (const key of due) this.#stageRemoveDue(batch, key)
      })
    }
  }

  /** Erases the notes of mails about a login. @returns how many there were */
  async forget(writer: Writer, login: string): Promise<number> {
    const keys: Uint8Array[] = []
    for await (const page of this.#database().pages(wholePrefix(PREFIX.mail), PAGE))
      for (const [key, value] of page) if (decodeMail(key, value).logins.includes(login)) keys.push(key)
    let erased = 0
    for (let from = 0; from < keys.length; from += PAGE) {
      await writer.submit('maintenance', (batch) => {
        for (const key of keys.slice(from, from + PAGE)) {
          const record = this.#read(key)
          if (record?.logins.includes(login) !== true) continue
          this.#stageRemove(batch, key, record)
          erased++
        }
      })
    }
    return erased
  }

  finishAll(): void {
    this.#staged.clear()
  }

  /** It may have been written to again since the page was read. */
  #stageRemoveDue(batch: WriteBatch, timeKey: Uint8Array): void {
    const key = keyOfTimeKey(timeKey)
    const record = this.#read(key)
    if (record !== undefined && textOf(timeKeyOfMail(key, record)) === textOf(timeKey))
      this.#stageRemove(batch, key, record)
    else batch.delete(timeKey)
  }

  #stageRemove(batch: WriteBatch, key: Uint8Array, record: MailRecord): void {
    batch.delete(key)
    batch.delete(timeKeyOfMail(key, record))
    this.#staged.delete(textOf(key))
    this.#count--
  }

  #read(key: Uint8Array): MailRecord | undefined {
    const staged = this.#staged.get(textOf(key))
    if (staged !== undefined) return staged
    const sealed = this.#database().get(key)
    return sealed === undefined ? undefined : decodeMail(key, sealed)
  }
}

export function stageMailIndex(batch: WriteBatch, key: Uint8Array, record: MailRecord): void {
  batch.put(timeKeyOfMail(key, record), new Uint8Array(0))
}

function mailKey(sink: string, address: string): Uint8Array {
  const hash = createHash('sha256')
    .update(JSON.stringify([sink, address]))
    .digest()
  return joined(Uint8Array.of(PREFIX.mail), hash.subarray(0, HASH_BYTES))
}

function timeKeyOfMail(key: Uint8Array, { keepUntilMs }: MailRecord): Uint8Array {
  const time = Math.min(MAX_NUMBER, Math.max(0, Math.floor(keepUntilMs)))
  return joined(numberKey(PREFIX.mailByTime, time), key.subarray(1))
}

function keyOfTimeKey(timeKey: Uint8Array): Uint8Array {
  return joined(Uint8Array.of(PREFIX.mail), timeKey.subarray(timeKey.length - HASH_BYTES))
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(head.length + tail.length)
  bytes.set(head)
  bytes.set(tail, head.length)
  return bytes
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1')
}
