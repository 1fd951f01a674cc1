/** Links and paths in the documents for developers and users: they lead to files that are there. */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const DOCUMENTS = globSync(['*.md', 'src/**/*.md', 'test/**/*.md', 'man/*.md', 'conf/*.md'], {
  cwd: ROOT,
}).toSorted()

/** A path in code type: with a folder, or a file name with an ending that our files have. */
const PATH = /`((?:[\w.-]+\/)*[\w.-]+(?:\/|\.(?:ts|md|conf|yaml|json)))`/g
/** Made by the build or at run time, or not ours. */
const NOT_IN_THE_REPOSITORY = /^(?:dist|state|node_modules)\//

describe('documents', () => {
  test('there are some', () => {
    for (const name of ['README.md', 'CHANGELOG.md', join('src', 'README.md'), join('test', 'README.md')]) {
      assert.ok(DOCUMENTS.includes(name), name)
    }
  })

  for (const name of DOCUMENTS) {
    test(`${name} links to files that are there`, () => {
      const text = readFileSync(join(ROOT, name), 'utf8')
      for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^(?:[a-z]+:|#)/.test(target)) continue
        const file = join(ROOT, dirname(name), target.replace(/#.*/, ''))
        assert.ok(existsSync(file), `${target} is not there`)
      }
    })

    test(`${name} names files that are there`, () => {
      // Fenced blocks hold commands and output, and comments are not read by anybody.
      const text = readFileSync(join(ROOT, name), 'utf8').replaceAll(
        /^```[\s\S]*?^```$|<!--[\s\S]*?-->/gm,
        '',
      )
      for (const [, path = ''] of text.matchAll(PATH)) {
        if (NOT_IN_THE_REPOSITORY.test(path)) continue
        // The map of src names files from where its reader is at that moment.
        const isThere =
          existsSync(join(ROOT, path)) || globSync(`{src,test}/**/${path}`, { cwd: ROOT }).length > 0
        assert.ok(isThere, `${path} is not there`)
      }
    })
  }
})
