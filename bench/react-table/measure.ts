import type { Operation } from './operations.ts'

/** What an operation came to in one page. */
export interface Measured {
  /** From the click until after the next paint, each time, in ms. */
  readonly times: readonly number[]
  /** Of this, until the document had changed. */
  readonly scripts: readonly number[]
  readonly rows: number
  /** The table as HTML. */
  readonly html: string
}

/** Does an operation with its warm-up. It runs in the page, and so uses nothing from around it. */
export async function measure({ before, again, click, warmUp, samples }: Operation): Promise<Measured> {
  const FRAME = 1000 / 60
  const body = document.querySelector('tbody')!
  const { gc } = window as { readonly gc?: () => void }

  function painted(): Promise<void> {
    return new Promise((resolve) => {
      requestAnimationFrame(() => {
        const channel = new MessageChannel()
        channel.port1.onmessage = () => resolve()
        channel.port2.postMessage(undefined)
      })
    })
  }

  async function press(buttons: readonly string[]): Promise<void> {
    for (const id of buttons) {
      document.querySelector<HTMLElement>(`#${id}`)!.click()
      await painted()
    }
  }

  function target(repetition: number): HTMLElement {
    if (typeof click === 'string') return document.querySelector<HTMLElement>(`#${click}`)!
    const row = body.children[click.row + repetition * click.step]!
    return row.querySelector<HTMLElement>(`td:nth-child(${click.column}) a`)!
  }

  const times: number[] = []
  const scripts: number[] = []
  await press(before)
  for (let repetition = 0; repetition < warmUp + samples; repetition++) {
    if (repetition > 0) await press(again)
    const element = target(repetition)
    gc?.()
    await painted()
    // Clicks come at times spread over a frame: at one time within it, a millisecond more or less may cost a whole frame.
    const due = performance.now() + ((repetition * 0.618) % 1) * FRAME
    while (performance.now() < due);
    const start = performance.now()
    element.click()
    // React renders in a microtask that the click has queued.
    await Promise.resolve()
    const changed = performance.now()
    await painted()
    if (repetition < warmUp) continue
    times.push(performance.now() - start)
    scripts.push(changed - start)
  }
  return { times, scripts, rows: body.children.length, html: body.innerHTML }
}
