import type { Contender, Editor, Listener } from './contender.ts'
import { ask } from './processes.ts'

/** What one round of one contender came to, by the name of the figure. */
export type Figures = Record<string, number | readonly number[]>

/** How much is done; the same for all. */
const work = {
  editors: 10,
  latencies: 300,
  flatOut: 5_000,
  single: 500,
  pipelined: 10_000,
  clients: 1_000,
  latenciesOfMany: 20,
  /** Of each of the ten writers. */
  flatOutOfMany: 300,
  missed: [10_000, 100_000],
} as const

const clock = (): number => performance.now()
let last = 0
/** A value that no row had before. */
const fresh = (): number => ++last

/** Gives the clients' event loop a turn. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function hears(editor: Editor, row: number, value: number): Promise<void> {
  await new Promise<void>((resolve) => {
    editor.heard(row, (heard) => {
      if (heard === value) resolve()
    })
  })
}

/** One change at a time, each on its way only once everyone has the one before. */
async function latency(writer: Editor, readers: readonly Editor[], times: number): Promise<number[]> {
  const taken: number[] = []
  let [value, from, missing] = [0, 0, 0]
  let all = (): void => undefined
  for (const reader of readers)
    reader.heard(0, (heard) => {
      if (heard !== value) return
      taken.push(clock() - from)
      if (--missing === 0) all()
    })
  const warmUp = 50
  for (let index = 0; index < times + warmUp; index++) {
    if (index === warmUp) taken.length = 0
    await new Promise<void>((resolve) => {
      all = resolve
      missing = readers.length
      value = fresh()
      from = clock()
      writer.set(0, value)
    })
    await writer.settled?.()
  }
  return taken
}

async function ten(contender: Contender, port: number, figures: Figures): Promise<void> {
  const editors = await Promise.all(Array.from({ length: work.editors }, () => contender.join(port)))
  const [writer, ...readers] = editors as [Editor, ...Editor[]]
  figures['latency'] = await latency(writer, readers, work.latencies)
  const values = Array.from({ length: work.flatOut }, fresh)
  const heard = Promise.all(readers.map((reader) => hears(reader, 1, values.at(-1)!)))
  const from = clock()
  // One change a turn of the event loop: what is set within one turn some products send as one.
  for (const value of values) {
    writer.set(1, value)
    await turn()
  }
  await heard
  figures['changes of one writer'] = work.flatOut / ((clock() - from) / 1000)
  for (const editor of editors) await editor.close()
}

async function transactions(contender: Contender, port: number, figures: Figures): Promise<void> {
  const editor = await contender.join(port)
  const { settled } = editor
  if (!settled) {
    await editor.close()
    return
  }
  let from = clock()
  for (let index = 0; index < work.single; index++) {
    editor.set(2, fresh())
    await settled()
  }
  figures['single'] = work.single / ((clock() - from) / 1000)
  from = clock()
  for (let index = 0; index < work.pipelined; index++) editor.set(index % 1_000, fresh())
  await settled()
  figures['pipelined'] = work.pipelined / ((clock() - from) / 1000)
  await editor.close()
}

/** The server's memory, as it says itself after collecting garbage. */
async function memory(): Promise<number> {
  return (await ask<{ readonly bytes: number }>({ ask: 'memory' })).bytes
}

async function thousand(contender: Contender, port: number, figures: Figures): Promise<void> {
  const writers: Editor[] = []
  for (let index = 0; index < 10; index++) writers.push(await contender.join(port))
  for (const [index, writer] of writers.entries()) writer.set(10 + index, fresh())
  const count = work.clients - writers.length
  const received = new Array<number>(count).fill(0)
  const times: number[] = []
  const before = await memory()
  let [from, missing, expected] = [0, 0, 0]
  let all = (): void => undefined
  const listeners: Listener[] = []
  for (let index = 0; index < count; index += 50)
    listeners.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(50, count - index) }, (_, offset) =>
          contender.listen(port, (changes) => {
            const mine = index + offset
            times.push(clock() - from)
            const had = received[mine]!
            received[mine] = had + changes
            if (had < expected && had + changes >= expected && --missing === 0) all()
          }),
        ),
      )),
    )
  figures['bytes per idle client'] = ((await memory()) - before) / count

  /** Resolves once every listener has taken so many changes from now on. */
  const everyone = (changes: number): Promise<void> =>
    new Promise((resolve) => {
      received.fill(0)
      times.length = 0
      expected = changes
      missing = count
      all = resolve
      from = clock()
    })
  const latencies: number[] = []
  for (let index = 0; index < work.latenciesOfMany + 5; index++) {
    const done = everyone(1)
    writers[index % 10]!.set(10 + (index % 10), fresh())
    await done
    if (index >= 5) latencies.push(...times)
  }
  figures['latency of 1,000'] = latencies
  const changes = work.flatOutOfMany * writers.length
  const done = everyone(changes)
  for (let index = 0; index < work.flatOutOfMany; index++) {
    for (const [row, writer] of writers.entries()) writer.set(10 + row, fresh())
    await turn()
  }
  await done
  const seconds = (clock() - from) / 1000
  figures['changes of ten writers'] = changes / seconds
  figures['delivered'] = (changes * count) / seconds
  figures['messages each'] = times.length / count
  for (const listener of listeners) listener.close()
  for (const writer of writers) await writer.close()
}

async function reconnect(contender: Contender, port: number, figures: Figures): Promise<void> {
  const [writer, reader] = [await contender.join(port), await contender.join(port)]
  for (let row = 0; row < 1_000; row++) writer.set(row, fresh())
  await hears(reader, 999, last)
  await writer.settled?.()
  for (const missed of work.missed) {
    const back = reader.leave()
    for (let index = 0; index < missed; index++) {
      writer.set(index % 1_000, fresh())
      if (index % 1_000 === 999) await (writer.settled?.() ?? turn())
    }
    const values = Array.from({ length: 1_000 }, (_, row) => last - 999 + row)
    const all = Promise.all(values.map((value, row) => hears(reader, row, value)))
    const { from, bytes } = await back()
    await all
    figures[`reconnect ms after ${missed}`] = clock() - from
    figures[`reconnect bytes after ${missed}`] = bytes()
  }
  await reader.close()
  await writer.close()
}

export const parts = ['ten', 'transactions', 'thousand', 'reconnect'] as const

/** The parts named, once each. */
export async function measure(contender: Contender, port: number, wanted: readonly string[]): Promise<Figures> {
  const figures: Figures = {}
  // The rows that are edited must be there first; the peers make them as they are set.
  if (contender.name === 'rowcast') await (await import('./rowcast.ts')).fill(port)
  const run = { ten, transactions, thousand, reconnect }
  for (const part of parts) {
    if (!wanted.includes(part)) continue
    const from = clock()
    await run[part](contender, port, figures)
    figures[`seconds of ${part}`] = (clock() - from) / 1000
  }
  return figures
}
