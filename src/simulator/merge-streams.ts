/**
 * Many streams of reports, each in the order of time, as one. Pure; keeps one report of each stream, in a heap.
 */

interface Timed {
  readonly t: number
}

interface Head<T> {
  readonly value: T
  readonly stream: Iterator<T>
  /** Decides between equal times, so that the order is always the same. */
  readonly number: number
}

/** @param streams - each in ascending order of `t` */
export function* mergeStreams<T extends Timed>(
  streams: Iterable<Iterable<T>>,
): Generator<T, void, undefined> {
  const heap: Head<T>[] = []
  let number = 0
  for (const stream of streams) {
    const head = nextHead(stream[Symbol.iterator](), number++)
    if (head !== undefined) heap.push(head)
  }
  for (let at = Math.floor(heap.length / 2) - 1; at >= 0; at--) sink(heap, at)
  for (let [first] = heap; first !== undefined; [first] = heap) {
    yield first.value
    const next = nextHead(first.stream, first.number)
    const last = next ?? heap.pop()
    if (last === undefined) return
    if (heap.length > 0) heap[0] = last
    sink(heap, 0)
  }
}

function nextHead<T>(stream: Iterator<T>, number: number): Head<T> | undefined {
  const next = stream.next()
  return next.done === true ? undefined : { value: next.value, stream, number }
}

/** Lets an entry go down to where neither child is earlier. */
function sink<T extends Timed>(heap: Head<T>[], start: number): void {
  const entry = heap[start]
  if (entry === undefined) return
  let at = start
  for (;;) {
    const left = heap[2 * at + 1]
    if (left === undefined) break
    const right = heap[2 * at + 2]
    const isRight = right !== undefined && isEarlier(right, left)
    const child = isRight ? right : left
    if (!isEarlier(child, entry)) break
    heap[at] = child
    at = 2 * at + (isRight ? 2 : 1)
  }
  heap[at] = entry
}

function isEarlier<T extends Timed>(one: Head<T>, other: Head<T>): boolean {
  return one.value.t < other.value.t || (one.value.t === other.value.t && one.number < other.number)
}
