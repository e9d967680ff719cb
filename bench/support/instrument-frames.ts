/** What the page keeps for the measurements. */
export interface FrameClock {
  /** When the current frame's callbacks began. */
  frameStartedAt: number
  /** Milliseconds in WebGL calls since the page began. */
  glMs: number
}

declare global {
  interface Window {
    frameClock?: FrameClock
  }
}

/** Runs in the page before its scripts: it cannot use anything from outside of itself. */
export function instrumentFrames(): void {
  const clock: FrameClock = { frameStartedAt: 0, glMs: 0 }
  window.frameClock = clock
  // Asked for before anything else asks for a callback in that frame: always the first to run.
  const tick = (): void => {
    clock.frameStartedAt = performance.now()
    requestAnimationFrame(tick)
  }
  requestAnimationFrame(tick)
  const calls = [
    'clear',
    'drawArrays',
    'drawElements',
    'drawArraysInstanced',
    'drawElementsInstanced',
    'bufferData',
    'bufferSubData',
    'texImage2D',
    'texSubImage2D',
  ] as const
  const prototype = WebGL2RenderingContext.prototype as unknown as Record<string, (...args: unknown[]) => unknown>
  for (const name of calls) {
    const call = prototype[name]
    if (!call) continue
    prototype[name] = function timed(this: unknown, ...args: unknown[]): unknown {
      const from = performance.now()
      const result = call.apply(this, args)
      clock.glMs += performance.now() - from
      return result
    }
  }
}
