/** A process to be killed: appends numbered records, several calls at a time, and says which are confirmed. */
import { filePersistence } from '../../src/persist/index.ts'

const [directory = ''] = process.argv.slice(2)
const session = await filePersistence({ directory }).open()
const { records } = await session.load()

async function append(n: number): Promise<void> {
  const record = new TextEncoder().encode(`${n} ${'x'.repeat(n % 500)}`)
  await session.append([record])
  process.stdout.write(`${n}\n`)
}

for (let n = records.length; ; n += 10) {
  if (n % 200 === 0) await session.replace(new Uint8Array(n), (await session.load()).records)
  await Promise.all(Array.from({ length: 10 }, (_, more) => append(n + more)))
}
