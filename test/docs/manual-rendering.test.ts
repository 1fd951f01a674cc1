/** The pages of the manual as roff: they render, and what can be copied from them comes out as it stands. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { MAN_PAGES, readManPage } from '../support/man-page.ts'

for (const name of MAN_PAGES) {
  describe(name, () => {
    const page = readManPage(name)

    test('renders without a warning', (t) => {
      const groff = spawnSync('groff', ['-man', '-ww', '-Tutf8', page.path], { encoding: 'utf8' })
      if (groff.error !== undefined) return t.skip('groff is not installed')
      assert.equal(groff.stderr, '')
      assert.equal(groff.status, 0)
      assert.ok(groff.stdout.length > 1000)
    })

    test('is plain ASCII, and its examples escape what roff would print as another character', () => {
      // oxlint-disable-next-line no-control-regex -- all of ASCII is meant
      assert.doesNotMatch(page.source, /[^\n\u0020-\u007e]/)
      for (const [block] of page.source.matchAll(/^\.EX$[\s\S]*?^\.EE$/gm)) {
        const bare = block.replaceAll(/^\..*$/gm, '').replaceAll(/\\(?:\(..|.)/g, '')
        assert.doesNotMatch(bare, /[-'`^~\\]/, block)
      }
    })

    test('mentions no page of ours that does not exist', () => {
      for (const [, mentioned, section] of page.source.matchAll(/^\.BR (trackalert[\w.]*) \((\d)\)/gm)) {
        assert.ok(MAN_PAGES.includes(`${mentioned}.${section}`), `${mentioned}(${section})`)
      }
    })
  })
}
