import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { bytesToText } from '../../../src/login/byte-string.ts'
import { linesOf, MOST_LINE_BYTES } from '../../../src/replay/report-lines.ts'

async function linesIn(chunks: readonly Uint8Array[]): Promise<readonly (string | undefined)[]> {
  const lines: (string | undefined)[] = []
  const source = { name: 'test', open: () => Readable.from(chunks) }
  for await (const some of linesOf(source, () => undefined)) lines.push(...some)
  return lines
}

function cut(bytes: Uint8Array, at: readonly number[]): readonly Uint8Array[] {
  const ends = [...at.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end))
}

test('lines are those of the whole text, however it is cut and whether or not it is packed', async () => {
  const line = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.constantFrom('', 'é', '\udcff', 'x'.repeat(50)),
  )
  const cuts = fc.array(fc.nat(), { maxLength: 10 })
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 12 }), cuts, fc.boolean(), async (texts, at, isPacked) => {
      const bytes = Buffer.from(texts.map((text) => text.replaceAll('\n', ' ')).join('\n'), 'utf8')
      const expected = bytesToText(bytes).split('\n')
      if (expected.at(-1) === '') expected.pop()
      assert.deepEqual(await linesIn(cut(isPacked ? gzipSync(bytes) : bytes, at)), expected)
    }),
  )
})

test('packed files in a row are one', async () => {
  const packed = Buffer.concat([gzipSync('a\nb\n'), gzipSync('c\n')])
  assert.deepEqual(await linesIn([packed]), ['a', 'b', 'c'])
})

test('a line that is too long is left out and the next one is whole', async () => {
  const long = Buffer.alloc(MOST_LINE_BYTES + 1, 'x')
  const parts = cut(Buffer.concat([Buffer.from('a\n'), long, Buffer.from('\nb')]), [1000, 500_000, 900_000])
  assert.deepEqual(await linesIn(parts), ['a', undefined, 'b'])
})

test('a packed file that ends too early is an error with its name, and what was good before comes first', async () => {
  const packed = gzipSync('a line\n'.repeat(100_000))
  await assert.rejects(linesIn([packed.subarray(0, packed.length - 20)]), {
    code: 'TRK_REPLAY_INPUT',
    message: /test: unexpected end of file/,
  })
})
