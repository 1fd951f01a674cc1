/** A process that recovers a damaged store, for tests that limit what it may write; it prints what came of it. */
import { openStore } from './embedded-store.ts'

try {
  const { store, report } = await openStore(process.argv[2] ?? '', { recover: true })
  process.stdout.write(`kept ${report.salvage?.kept}\n`)
  await store.close()
} catch (error) {
  process.stdout.write(`${String(error)}\n`)
}
