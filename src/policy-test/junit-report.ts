/**
 * Test results as a JUnit XML file, which build servers read. Pure.
 */
import type { FileResult, TestResult } from './run-test-file.ts'

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
/** What XML 1.0 cannot hold, not even as an entity. */
// oxlint-disable-next-line no-control-regex -- control characters are what it is about
const UNFIT = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff\ufffe\uffff]/gu

export function junitReport(files: readonly FileResult[]): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    ...files.flatMap(({ file, tests }) => [
      `  <testsuite name="${escape(file)}" tests="${tests.length}" failures="${failures(tests)}" time="${seconds(tests)}">`,
      ...tests.map((test) => testCase(file, test)),
      '  </testsuite>',
    ]),
    '</testsuites>\n',
  ].join('\n')
}

function testCase(file: string, test: TestResult): string {
  const start = `    <testcase classname="${escape(file)}" name="${escape(test.name)}" time="${seconds([test])}"`
  if (test.failure === undefined) return `${start}/>`
  const [first = ''] = test.failure.split('\n')
  return `${start}><failure message="${escape(first)}">${escape(test.failure)}</failure></testcase>`
}

function failures(tests: readonly TestResult[]): number {
  return tests.filter(({ failure }) => failure !== undefined).length
}

function seconds(tests: readonly TestResult[]): string {
  return (tests.reduce((total, { durationMs }) => total + durationMs, 0) / 1000).toFixed(3)
}

function escape(text: string): string {
  return text.replace(UNFIT, '?').replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? '')
}
