import { expect, vi } from 'vitest'
import { ConvergenceWorld, type ConvergenceOptions } from './convergence-world.ts'

const STEPS = Number(process.env['ROWCAST_STEPS'] ?? 150)

/**
 * Runs a world and lets it come to rest: then everyone has what the server has and they may see, nothing that was saved
 * or confirmed is lost, and nothing was applied twice. Gives what has happened.
 */
export async function expectConvergence(options: ConvergenceOptions): Promise<readonly string[]> {
  const { seed } = options
  // Promises and I/O go on; errors that nobody waits for are thrown by a timer, and so by the step that runs it.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const world = await ConvergenceWorld.start(options)
  try {
    for (let step = 0; step < STEPS; step++) {
      // What is withheld is known to all only at rest: then they go on.
      if (options.schema && step === Math.floor(STEPS / 2)) await world.settle()
      await world.step()
    }
    await world.settle()
    world.expectShown()
    // Twice: what the first reopening has folded is what the second one reads.
    for (let n = 0; n < 2; n++) {
      await world.reopen()
      await world.settle()
    }
    world.expectShown()
    expect(world.errors).toEqual([])
    await world.close()
    vi.runOnlyPendingTimers()
    const log = await world.log()
    const ids = log.map(({ id }) => id).filter((id) => id !== undefined)
    expect(new Set(ids).size, 'nothing twice').toBe(ids.length)
    const labels = log.map(({ label }) => label)
    for (const { ledger, crashes, asked } of world.seats) {
      ledger.expectDone(log, crashes > 0)
      for (const label of asked) expect(labels, 'was asked for and confirmed').toContain(label)
    }
    return world.trace
  } catch (error) {
    const told = error instanceof Error ? error.message : String(error)
    const trace = process.env['ROWCAST_TRACE'] ? `\n${world.trace.join('\n')}` : ''
    throw new Error(`seed ${seed}: ${told} (ROWCAST_SEED=${seed} ROWCAST_SEEDS=1 replays it)${trace}`, { cause: error })
  } finally {
    vi.useRealTimers()
  }
}
