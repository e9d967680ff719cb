import type { Page } from 'playwright-core'
import { printTable } from './statistics.ts'

interface ProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  readonly children?: readonly number[]
}

/** Runs `work` under the page's sampling profiler and prints the functions that took most. */
export async function profiled<T>(page: Page, title: string, work: () => Promise<T>): Promise<T> {
  const session = await page.context().newCDPSession(page)
  await session.send('Profiler.enable')
  await session.send('Profiler.setSamplingInterval', { interval: 200 })
  await session.send('Profiler.start')
  const result = await work()
  const { profile } = await session.send('Profiler.stop')
  await session.detach()
  printTop(title, profile.nodes, profile.samples ?? [], profile.timeDeltas ?? [])
  return result
}

function printTop(
  title: string,
  nodes: readonly ProfileNode[],
  samples: readonly number[],
  deltas: readonly number[],
): void {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const)))
  const nameOf = ({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string =>
    `${functionName || '(anonymous)'} ${url.split('/').at(-1) ?? ''}:${lineNumber + 1}`
  const self = new Map<string, number>()
  const total = new Map<string, number>()
  let all = 0
  for (const [index, sample] of samples.entries()) {
    const ms = (deltas[index] ?? 0) / 1000
    const leaf = byId.get(sample)
    if (!leaf || leaf.callFrame.functionName === '(idle)') continue
    all += ms
    self.set(nameOf(leaf), (self.get(nameOf(leaf)) ?? 0) + ms)
    const seen = new Set<string>()
    for (let at: ProfileNode | undefined = leaf; at; at = byId.get(parents.get(at.id) ?? -1)) seen.add(nameOf(at))
    for (const name of seen) total.set(name, (total.get(name) ?? 0) + ms)
  }
  for (const [kind, times] of [
    ['self', self],
    ['with what it calls', total],
  ] as const) {
    const top = [...times].toSorted((a, b) => b[1] - a[1]).slice(0, kind === 'self' ? 30 : 45)
    console.log(`\n${title}: most time, ${kind}\n`)
    printTable(
      ['function', 'ms', '%'],
      top.map(([name, ms]) => [name, ms.toFixed(1), ((ms / all) * 100).toFixed(1)]),
    )
  }
  console.log('')
}
